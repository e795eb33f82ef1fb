"""Who is who: addresses, logins, tokens, impersonation rights."""

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from greenroom.simulator.applications import Application
from greenroom.simulator.errors import NoSuchMailbox
from greenroom.simulator.model import Account, Mailbox, Person

_NAME_LIMIT = 100  # EWS ResolveNames gives at most so many


def password_hash(password: str, salt: str) -> str:
    """One quick round: these are made-up passwords, and Basic authentication comes with every request."""
    return hashlib.sha256(f"{salt}\n{password}".encode()).hexdigest()


def bare(address: str) -> str:
    """An address as the directory compares it: without a routing prefix, lower case."""
    text = address.strip().lower()
    for prefix in ("smtp:", "mailto:", "ex:"):
        text = text.removeprefix(prefix)
    return text


@dataclass(slots=True)
class Login:
    """An account and its salted password hash."""

    account: Account
    salt: str
    hash: str


@dataclass(slots=True)
class Directory:
    """The organisation's address book and its rights."""

    mailboxes: dict[str, Mailbox] = field(default_factory=dict)  # by primary address
    names: dict[str, str] = field(default_factory=dict)  # any address form -> primary address
    logins: dict[str, Login] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # token -> login
    grants: dict[str, frozenset[str] | None] = field(default_factory=dict)  # login -> scope, None: everybody
    applications: dict[str, Application] = field(default_factory=dict)  # by client id, lower case

    def add(self, mailbox: Mailbox) -> None:
        """Enter a mailbox under all its names. Raises ValueError when one is taken."""
        forms = [bare(form) for form in (mailbox.address, *mailbox.aliases, mailbox.x500) if form]
        if any(form in self.names for form in forms):
            raise ValueError("an address of this mailbox is taken already")
        self.mailboxes[mailbox.address] = mailbox
        self.names.update(dict.fromkeys(forms, mailbox.address))

    def remove(self, mailbox: Mailbox) -> None:
        """Take a mailbox out, with its logins."""
        del self.mailboxes[mailbox.address]
        self.names = {form: address for form, address in self.names.items() if address != mailbox.address}
        self.logins = {name: one for name, one in self.logins.items() if one.account.mailbox != mailbox.address}

    def find(self, address: str) -> Mailbox | None:
        primary = self.names.get(bare(address))
        return None if primary is None else self.mailboxes[primary]

    def get(self, address: str) -> Mailbox:
        mailbox = self.find(address)
        if mailbox is None:
            raise NoSuchMailbox("no mailbox has this address")
        return mailbox

    def is_local_domain(self, address: str) -> bool:
        """Whether the address is of a domain that a mailbox here has (then an unknown one bounces)."""
        domain = bare(address).rpartition("@")[2]
        return any(name.rpartition("@")[2] == domain for name in self.names if "@" in name)

    def smtp(self, person: Person) -> Person:
        """The person with the primary SMTP address and display name of the directory, if it knows them."""
        mailbox = self.find(person.address)
        return person if mailbox is None else Person(mailbox.address, mailbox.name)

    def same(self, one: Person, other: Person) -> bool:
        """Whether two persons are one, whatever address form names them."""
        return bare(self.smtp(one).address) == bare(self.smtp(other).address)

    def resolve(self, text: str) -> list[Mailbox]:
        wanted = bare(text)
        exact = self.find(wanted)
        if exact is not None or not wanted:
            return [] if exact is None else [exact]
        found = []
        for mailbox in self.mailboxes.values():
            words = [*mailbox.name.lower().split(), mailbox.name.lower(), mailbox.address, *mailbox.aliases]
            if any(word.startswith(wanted) for word in words):
                found.append(mailbox)
        return found[:_NAME_LIMIT]

    def add_login(self, login: str, password: str, mailbox: str | None) -> Account:
        salt = os.urandom(8).hex()
        account = Account(login, mailbox)
        self.logins[login.lower()] = Login(account, salt, password_hash(password, salt))
        return account

    def check(self, login: str, password: str) -> Account | None:
        known = self.logins.get(login.lower())
        if known is None or not hmac.compare_digest(known.hash, password_hash(password, known.salt)):
            return None
        return known.account

    def by_login(self, login: str) -> Account | None:
        """The account of a login that was proven elsewhere."""
        known = self.logins.get(login.lower())
        return None if known is None else known.account

    def by_token(self, token: str) -> Account | None:
        known = self.logins.get(self.tokens.get(token, "").lower())
        return None if known is None else known.account

    def grant(self, login: str, scope: Iterable[str] | None) -> None:
        self.grants[login.lower()] = None if scope is None else frozenset(self.get(one).address for one in scope)

    def register(self, application: Application) -> None:
        """Enter an application, in the place of an earlier one of its id. Raises NoSuchMailbox for a foreign scope."""
        scope = application.scope
        known = None if scope is None else tuple(self.get(one).address for one in scope)
        self.applications[application.client_id.lower()] = replace(application, scope=known)

    def may_impersonate(self, login: str, address: str) -> bool:
        mailbox = self.find(address)
        if mailbox is None or login.lower() not in self.grants:
            return False
        scope = self.grants[login.lower()]
        return scope is None or mailbox.address in scope
