"""How a case enters the table."""

from support.series_life import Case

CASES: dict[str, Case] = {}
"""Every case by its name, in the order of the modules."""


def case(function: Case) -> Case:
    """Enter a case. Its docstring says which trap of the calendar it is about."""
    assert function.__doc__, "a case says what it is about"
    assert function.__name__ not in CASES, "two cases have one name"
    CASES[function.__name__] = function
    return function
