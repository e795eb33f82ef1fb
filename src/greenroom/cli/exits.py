"""Exit codes of all commands."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's end means to a script."""

    OK = 0
    PROBLEM = 1
    USAGE = 2
    OUTSIDE = 3
    PORT = 4


EXPLAINED = """\
  0  all is well
  1  a problem was found, or what was asked for does not exist
  2  the command or the configuration is wrong
  3  Exchange, the database or the platform cannot be reached or refuses us
  4  the address to listen on cannot be used"""
