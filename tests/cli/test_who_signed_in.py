"""Whether who signed in is who the configuration expects."""

import pytest

from greenroom.cli.signing_in import OtherAccountError, checked_account
from greenroom.exchange.tokens import Grant


def kept(found: str, expected: str | None) -> str:
    return checked_account(Grant(found, "access", "refresh"), expected, "integration[main].exchange").account


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("svc@example.org", None),
        ("Svc@Example.org", "svc@example.org"),
        ("svc@example.org", "EXAMPLE\\svc"),
        ("EXAMPLE\\svc", "example\\SVC"),
        ("EXAMPLE\\svc", "svc@example.org"),
    ],
)
def test_the_same_account_under_another_form_of_its_name_is_taken(found: str, expected: str | None) -> None:
    assert kept(found, expected) == found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("boss@example.org", "svc@example.org"),
        ("svc@other.org", "svc@example.org"),
        ("boss@example.org", "EXAMPLE\\svc"),
        ("OTHER\\svc", "EXAMPLE\\svc"),
        ("EXAMPLE\\boss", "svc@example.org"),
    ],
)
def test_another_account_is_not(found: str, expected: str) -> None:
    with pytest.raises(OtherAccountError):
        kept(found, expected)


def test_who_is_not_named_is_not_called_what_was_expected() -> None:
    assert kept("", "svc@example.org") == "an account that was not named"
