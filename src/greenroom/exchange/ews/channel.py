"""The TLS channel a connection goes over, as signing in binds itself to it (RFC 5929 `tls-server-end-point`).

With Extended Protection, Exchange accepts a sign-in only over the channel for which it was made, so that nobody in between can
pass it on: the proof holds a hash of the certificate that this side of the connection has seen.
"""

import hashlib
import ssl
from dataclasses import dataclass

import httpx2
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from spnego.channel_bindings import GssChannelBindings

_PREFIX = b"tls-server-end-point:"
_WEAK = frozenset({"md5", "sha1"})


@dataclass(frozen=True, slots=True)
class Channel:
    """One connection's channel: what proofs are bound to, and the certificate's thumbprint as Windows shows it.

    Both are empty where there is no TLS, which is on this computer only.
    """

    binding: GssChannelBindings | None = None
    thumbprint: str = ""


def channel_of(response: httpx2.Response) -> Channel:
    """Return the channel over which a response came."""
    stream = response.extensions.get("network_stream")
    tls = None if stream is None else stream.get_extra_info("ssl_object")
    if not isinstance(tls, ssl.SSLObject | ssl.SSLSocket):
        return Channel()
    certificate = tls.getpeercert(binary_form=True)
    return Channel() if certificate is None else of_certificate(certificate)


def of_certificate(der: bytes) -> Channel:
    """Return the channel of a server's certificate.

    The hash is that of the certificate's own signature, but MD5 and SHA-1 give way to SHA-256 (RFC 5929, 4.1). For a signature
    without any hash (Ed25519) that RFC defines no binding.
    """
    thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    try:
        algorithm = x509.load_der_x509_certificate(der).signature_hash_algorithm
        name = "" if algorithm is None else algorithm.name.replace("-", "_")
        digest = hashlib.new("sha256" if name in _WEAK else name, der).digest() if name else None
    except (ValueError, UnsupportedAlgorithm):
        digest = None
    binding = None if digest is None else GssChannelBindings(application_data=_PREFIX + digest)
    return Channel(binding, thumbprint)
