"""The certificate an application signs in with: read from PEM or PFX files, and checked before anything is sent.

Source: "Microsoft identity platform application authentication certificate credentials". Entra takes RSA keys.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from greenroom.exchange.errors import MisconfiguredError

_LONGEST_FILE = 1024 * 1024
_SMALLEST_KEY = 2048
_NEXT_STEP = "make a new certificate and key, upload the certificate (not the key) to the application in Entra"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and the certificate that belongs to it. Times are UTC."""

    key: RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)

    @property
    def ends(self) -> datetime:
        """When the certificate runs out."""
        return self.certificate.not_valid_after_utc

    def pem(self) -> str:
        """Return the certificate, which is public."""
        return self.certificate.public_bytes(Encoding.PEM).decode("ascii")

    def check(self, now: datetime) -> None:
        """Raise MisconfiguredError if the certificate does not hold now."""
        if now >= self.ends:
            day = self.ends.date().isoformat()
            raise MisconfiguredError(
                f"the certificate to sign in with ran out on {day}", hint=_NEXT_STEP, code="certificate-expired"
            )
        if now < self.certificate.not_valid_before_utc - timedelta(minutes=5):
            raise MisconfiguredError(
                "the certificate to sign in with is not valid yet",
                hint="check the clock of this computer, and the certificate",
                code="certificate-not-yet",
            )


def load(file: Path, key_file: Path | None, passphrase: str) -> KeyPair:
    """Read a PEM file (certificate, and key unless it stands in `key_file`) or a PFX file; MisconfiguredError says what is wrong.

    A PEM file may hold a chain: the certificate of the key is taken.
    """
    data = _read(file)
    secret = passphrase.encode() or None
    if b"-----BEGIN" in data:
        key = _pem_key(_read(key_file) if key_file is not None else data, key_file or file, secret)
        certificates = _pem_certificates(data, file)
    else:
        key, certificates = _pfx(data, file, secret)
        if key_file is not None:
            key = _pem_key(_read(key_file), key_file, secret)
    if not isinstance(key, RSAPrivateKey) or key.key_size < _SMALLEST_KEY:
        _wrong(f"the key of {file} is not an RSA key of at least {_SMALLEST_KEY} bits", _NEXT_STEP, "certificate-key")
    public = key.public_key()
    own = next((c for c in certificates if c.public_key() == public), None)
    if own is not None:
        return KeyPair(key, own)
    return _wrong(
        f"the key {key_file or 'in ' + str(file)} does not belong to the certificate {file}",
        "name the key that was made together with this certificate",
        "certificate-mismatch",
    )


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_LONGEST_FILE)
    except OSError as error:
        _wrong(
            f"the file {file} cannot be read ({type(error).__name__})",
            "check that it exists, and that the service may read it",
            "certificate-unreadable",
        )


def _pem_certificates(data: bytes, file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        _wrong(
            f"{file} holds no certificate",
            "it must be a PEM file with the certificate, or a PFX file with both",
            "certificate-unreadable",
        )


def _pem_key(data: bytes, file: Path, secret: bytes | None) -> object:
    encrypted = b"ENCRYPTED" in data
    try:
        return load_pem_private_key(data, secret if encrypted else None)
    except TypeError:
        _wrong(f"the key in {file} is encrypted", "set certificate_password as well", "certificate-passphrase")
    except (ValueError, ArithmeticError):
        what = "cannot be read with this password" if encrypted else "cannot be read"
        hint = (
            "check certificate_password" if encrypted else "it must hold a private key in PEM form (PKCS 8 or PKCS 1)"
        )
        _wrong(f"the key in {file} {what}", hint, "certificate-passphrase" if encrypted else "certificate-unreadable")


def _pfx(data: bytes, file: Path, secret: bytes | None) -> tuple[object, list[x509.Certificate]]:
    try:
        key, certificate, more = pkcs12.load_key_and_certificates(data, secret)
    except (ValueError, ArithmeticError):
        _wrong(
            f"{file} is neither PEM nor a PFX file that this password opens",
            "check the file and certificate_password",
            "certificate-unreadable",
        )
    return key, [c for c in (certificate, *more) if c is not None]


def _wrong(what: str, hint: str, code: str) -> NoReturn:
    raise MisconfiguredError(what, hint=hint, code=code) from None
