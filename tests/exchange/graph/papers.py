"""Keys, certificates and assertions, made when they are needed."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

NOW = datetime.now(UTC).replace(microsecond=0)
PASSPHRASE = "Birnenkompott-im-Wintergarten"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """The key of this name: made once, for it takes a moment."""
    return rsa.generate_private_key(65537, 2048)


def certificate(
    name: str,
    *,
    own: Any = None,
    days: tuple[int, int] = (-1, 90),
    hosts: tuple[str, ...] = (),
    authority: str | None = None,
    is_authority: bool = False,
) -> x509.Certificate:
    """A certificate for the key of this name (or `own`), signed by itself or by the authority of that name."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, authority or name)])
    mine = own or key(name)
    signer = key(authority) if authority else mine
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(mine.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(mine.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if hosts:
        named = [x509.IPAddress(ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(named), critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem(thing: Any, passphrase: str = "") -> bytes:
    """A certificate or private key as PEM."""
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(Encoding.PEM)
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    data: bytes = thing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return data


def public(name: str) -> str:
    """The public key of this name as PEM."""
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def pfx(own: rsa.RSAPrivateKey, owns: x509.Certificate, passphrase: str = "") -> bytes:
    """A PFX file."""
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"app", own, owns, None, lock)


def elliptic() -> ec.EllipticCurvePrivateKey:
    """A key of a kind Entra does not take."""
    return ec.generate_private_key(ec.SECP256R1())


def written(folder: Path, name: str, *parts: bytes) -> Path:
    """A file with these parts."""
    file = folder / name
    file.write_bytes(b"".join(parts))
    return file


def federated(name: str, **claims: Any) -> str:
    """A token of another issuer, signed with the key of this name."""
    now = int(time.time())
    told = {"aud": "api://AzureADTokenExchange", "iat": now, "nbf": now, "exp": now + 3600, **claims}
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, told))
    signature = key(name).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
