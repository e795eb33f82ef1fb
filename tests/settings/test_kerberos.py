"""The table of Kerberos: what it takes, and that nothing in it can become a line of libkrb5's configuration."""

from typing import Any

import pytest
from pydantic import ValidationError

from greenroom.settings.signing_in import Kerberos


def test_what_a_domain_calls_itself_is_taken() -> None:
    given: dict[str, Any] = {"realm": "AD.EXAMPLE-1.ORG", "kdc": ["dc1.example.org", "dc2:88", "[2001:db8::1]:88"]}
    assert Kerberos.model_validate({**given, "service": "HTTP/mail.example.org"}).kdc == tuple(given["kdc"])


@pytest.mark.parametrize(
    "table",
    [
        {"realm": "example.org"},
        {"realm": "EXAMPLE.ORG\n[libdefaults]"},
        {"realm": "A = {"},
        {"realm": ""},
        {"realm": "A", "kdc": ["dc\nkdc = evil"]},
        {"realm": "A", "kdc": ["dc }"]},
        {"realm": "A", "kdc": ["https://dc/"]},
        {"realm": "A", "kdc": ["dc:99999"]},
        {"realm": "A", "kdc": [f"dc{n}" for n in range(9)]},
        {"realm": "A", "service": "HTTP/mail@OTHER"},
        {"realm": "A", "service": "host/mail"},
        {"realm": "A", "service": "HTTP/mail\\x"},
    ],
    ids=range(12),
)
def test_nothing_else_is(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Kerberos.model_validate(table)
