"""Certificate chains for tests: an authority, one in between, and servers in every state of disrepair."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Flaw = Literal["", "expired", "not-yet", "soon", "other-name", "self-signed"]
DAY = timedelta(days=1)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)


def issue(
    name: str,
    by: Holder | None = None,
    *,
    authority: bool = False,
    names: tuple[str, ...] = (),
    begins: timedelta = -DAY,
    ends: timedelta = 90 * DAY,
) -> Holder:
    """Make a certificate, signed by itself where nobody else does."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = key if by is None else by.key
    built = built.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    if authority:
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        built = built.add_extension(usage, critical=True)
    if names:
        told = [x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names]
        built = built.add_extension(x509.SubjectAlternativeName(told), critical=False)
    return Holder(built.sign(signer, hashes.SHA256()), key)


@cache
def root() -> Holder:
    return issue("Test Root", authority=True)


@cache
def between() -> Holder:
    return issue("Test Intermediate", root(), authority=True)


def ca_file(folder: Path) -> Path:
    """The root alone, as an administrator names it in ca_file."""
    file = folder / "ca.pem"
    file.write_bytes(root().pem)
    return file


@cache
def _server(flaw: Flaw) -> Holder:
    names = ("mail.example.org", "autodiscover.example.org") if flaw == "other-name" else ("localhost", "127.0.0.1")
    begins, ends = {
        "expired": (-9 * DAY, -2 * DAY),
        "not-yet": (3 * DAY, 30 * DAY),
        "soon": (-DAY, 10 * DAY + timedelta(hours=1)),
    }.get(flaw, (-DAY, 80 * DAY))
    by = None if flaw == "self-signed" else between()
    return issue("test server", by, names=names, begins=begins, ends=ends)


def server_tls(folder: Path, flaw: Flaw = "", *, sends: Literal["all", "alone", "with-root"] = "all") -> SSLContext:
    """What a server of this kind uses; `sends` is how much of its chain."""
    holder = _server(flaw)
    more = {"all": between().pem, "alone": b"", "with-root": between().pem + root().pem}[sends]
    file = folder / f"server-{flaw or 'good'}-{sends}.pem"
    key = holder.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key + holder.pem + (b"" if flaw == "self-signed" else more))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
