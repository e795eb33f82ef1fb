"""What can go wrong towards the database, sorted by what the caller should do.

```
StorageError
├── BadUrlError               stop: the address of the database is not one (or of a kind we do not speak)
├── StorageUnreachableError   try again later, or start the database: nothing answers, or the file cannot be opened
├── StorageSignInError        stop: the database refuses the user or the password, or has no such database
├── StorageVersionError       stop: the database was made by a newer Greenroom
│   └── StorageNotPreparedError   start the service: the tables are missing or of an older Greenroom
├── StorageBusyError          try again later: somebody else held the lock for too long, or the connection broke
├── AliasHeldError            another live room has this alias: take another
└── StorageFaultError         a bug, a full disk or a damaged file: stop and tell
```

Texts carry addresses of databases without passwords and codes, never values that were to be stored.
"""


class StorageError(Exception):
    """Something went wrong towards the database."""


class BadUrlError(StorageError):
    """The database's URL cannot be read, or names a kind of database that is not supported."""


class StorageUnreachableError(StorageError):
    """Nothing answers at the address, or the file cannot be opened."""


class StorageSignInError(StorageError):
    """The database answers and refuses: wrong user, wrong password, no right, or no such database."""


class StorageVersionError(StorageError):
    """The tables are not of the version this code was written for."""


class StorageNotPreparedError(StorageVersionError):
    """The tables are missing or older than this code; the service brings them up to date when it starts."""


class StorageBusyError(StorageError):
    """The database was locked for too long, gave up on a deadlock, or dropped the connection."""


class AliasHeldError(StorageError):
    """The alias, its numeric form or the join id belongs to another live room."""


class StorageFaultError(StorageError):
    """The database refused a statement: a bug of ours, a full disk, a damaged file."""
