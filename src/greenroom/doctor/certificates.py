"""What a certificate chain says, for administrators: whose it is, until when, and what is missing in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

AHEAD = timedelta(days=30)
"""So long before its end a certificate or secret is told."""
_MOST_NAMES = 5
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Sent:
    """A chain as a server sent it, its own certificate first; what cannot be read is left out."""

    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def of(cls, chain: Sequence[bytes]) -> "Sent":
        """Read certificates (DER)."""
        found = []
        for one in chain[:10]:
            try:
                found.append(x509.load_der_x509_certificate(one))
            except ValueError:
                continue
        return cls(tuple(found))

    @property
    def own(self) -> x509.Certificate | None:
        """The server's own."""
        return self.certificates[0] if self.certificates else None

    @property
    def first_end(self) -> tuple[datetime, str] | None:
        """When the first certificate of the chain runs out, and whose that is; None without any."""
        ends = [(one.not_valid_after_utc, name_of(one.subject)) for one in self.certificates]
        return min(ends, default=None, key=lambda end: end[0])

    @property
    def missing(self) -> str:
        """Whose certificate the server should send and does not: the issuer of its last one. Empty if that signed itself."""
        if not self.certificates:
            return ""
        last = self.certificates[-1]
        return "" if last.issuer == last.subject else name_of(last.issuer)

    @property
    def sends_intermediate(self) -> bool:
        """Whether anything besides its own certificate is sent."""
        return len(self.certificates) > 1

    @property
    def root(self) -> str:
        """Who signed itself at the end of the chain; empty if nobody did."""
        last = self.certificates[-1] if self.certificates else None
        return name_of(last.subject) if last is not None and last.issuer == last.subject else ""


def names_in(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses a certificate is for, some of them."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    names = found.get_values_for_type(x509.DNSName) + [str(one) for one in found.get_values_for_type(x509.IPAddress)]
    return [_plain(name) for name in names[:_MOST_NAMES]]


def name_of(name: x509.Name) -> str:
    """Name a holder or issuer: its common name, else its organisation."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(kind):
            return _plain(str(attribute.value))
    return "an authority without a name"


def _plain(text: str) -> str:
    """Strangers write certificates: nothing in them may drive a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:_LONGEST]
