"""What the lack of an HTTP answer means. Pure: an error of httpx2 in, one of platforms out."""

import socket
import ssl

import httpx2

from greenroom.outside import causes_of
from greenroom.platforms.errors import PlatformError, PlatformMisconfiguredError
from greenroom.platforms.pexip.management.errors import (
    BrokenConnectionError,
    CodedUnavailableError,
    OutcomeUnknownError,
)

_OTHER_NAME = "is for another name: write url with a name that stands in the certificate"
_UNTRUSTED = "is not trusted: set ca_file to the certificate (PEM) of the authority that signed it"
_CERTIFICATE = {
    9: "is not valid yet: check the clock of this computer",
    10: "has expired: renew it on the Management Node; if it is not old, check the clock of this computer",
    18: "is signed by itself: set ca_file to that certificate (PEM), taken from the node itself",
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
"""What to say by OpenSSL's verification result (X509_V_ERR_...)."""

_UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


def failure(error: Exception, host: str, *, writes: bool) -> PlatformError:
    """Say what a failed exchange means: `error` is httpx2's, or the TimeoutError of the time for the whole."""
    causes = list(causes_of(error))
    if (bad := next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)) is not None:
        what = _CERTIFICATE.get(bad.verify_code, _UNTRUSTED)
        return PlatformMisconfiguredError("bad-certificate", hint=f"the certificate of {host} {what}")
    if any(isinstance(c, ssl.SSLError) for c in causes) and isinstance(error, httpx2.ConnectError):
        return PlatformMisconfiguredError(
            "tls", hint=f"{host} does not speak TLS as we do: check that this is its https port"
        )
    if isinstance(error, _UNSENT):
        return CodedUnavailableError(_unreached(error, causes))
    timed_out = isinstance(error, (httpx2.TimeoutException, TimeoutError))
    code = "timeout" if timed_out else "broken-connection"
    if writes:
        return OutcomeUnknownError(code)
    return CodedUnavailableError(code) if timed_out else BrokenConnectionError(code)


def _unreached(error: Exception, causes: list[BaseException]) -> str:
    if isinstance(error, httpx2.ProxyError):
        return "proxy"
    if any(isinstance(c, socket.gaierror) for c in causes):
        return "unknown-host"
    if any(isinstance(c, ConnectionRefusedError) for c in causes):
        return "connection-refused"
    return "no-answer" if isinstance(error, httpx2.TimeoutException) else "unreachable"
