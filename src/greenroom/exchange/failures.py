"""What the lack of an HTTP answer means, whatever protocol was spoken. Pure: an error of httpx2 in, one of the house out."""

import socket
import ssl
from dataclasses import dataclass

import httpx2

from greenroom.exchange.errors import ExchangeError, MisconfiguredError, OutcomeUnknownError, TryLaterError
from greenroom.outside import causes_of

_WRONG_NAME = (
    "is for another name",
    "write the address with a name that stands in the certificate, or give the server a certificate for this name",
)
_UNTRUSTED = (
    "is not trusted: its authority is not known here",
    "set ca_file to the certificate (PEM) of the authority that signed it; the server must send those in between",
)
_CERTIFICATE = {
    9: ("is not valid yet", "check the clock of this computer, and the certificate on the server"),
    10: ("has expired", "renew the certificate on the server; if it is not old, check the clock of this computer"),
    18: (
        "is signed by itself, and not trusted here",
        "set ca_file to that certificate (PEM), taken from the server itself, or give it one of your authority",
    ),
    62: _WRONG_NAME,
    64: _WRONG_NAME,
}
"""What to say by OpenSSL's verification result (X509_V_ERR_...)."""

_UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class BrokenConnectionError(TryLaterError):
    """The connection broke without a whole answer; a request that only reads may be sent once more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which request an answer, or the lack of one, belongs to: for sentences, and for how careful to be.

    `known` says that the service has answered here before, so that a web page now is a passing fault of what is in front.
    """

    host: str
    mailbox: str
    writes: bool
    known: bool = False


def unknown(asked: Asked, why: str, code: str) -> OutcomeUnknownError:
    """Say that a change may or may not have been made."""
    sentence = f"{asked.host} may or may not have made the change: {why}"
    return OutcomeUnknownError(sentence, code=code, mailbox=asked.mailbox)


def failure(error: Exception, asked: Asked) -> ExchangeError:
    """Say what a failed exchange means: `error` is httpx2's, or the TimeoutError of the time for the whole."""
    causes = list(causes_of(error))
    if (bad := next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)) is not None:
        what, hint = _CERTIFICATE.get(bad.verify_code, _UNTRUSTED)
        return MisconfiguredError(f"the certificate of {asked.host} {what}", hint=hint, code="bad-certificate")
    if any(isinstance(c, ssl.SSLError) for c in causes) and isinstance(error, httpx2.ConnectError):
        return MisconfiguredError(
            f"{asked.host} does not speak TLS as we do",
            hint="check that the address is that of an https port",
            code="tls",
        )
    if isinstance(error, _UNSENT):
        return TryLaterError(_unreached(error, causes, asked.host), code="unreachable", mailbox=asked.mailbox)
    timed_out = isinstance(error, (httpx2.TimeoutException, TimeoutError))
    why = "no answer came in time" if timed_out else "the connection broke"
    if asked.writes:
        return unknown(asked, why, "timeout" if timed_out else "broken")
    if timed_out:
        return TryLaterError(f"{asked.host}: {why}", code="timeout", mailbox=asked.mailbox)
    return BrokenConnectionError(f"{asked.host}: {why}", code="broken", mailbox=asked.mailbox)


def _unreached(error: Exception, causes: list[BaseException], host: str) -> str:
    if isinstance(error, httpx2.ProxyError):
        return f"the proxy does not lead to {host}: check its address, and that it lets this computer through"
    if any(isinstance(c, socket.gaierror) for c in causes):
        return f"the name of {host} is not known: check the address and the name service"
    if any(isinstance(c, ConnectionRefusedError) for c in causes):
        return f"{host} refuses connections: check the address and port, and that the server is running"
    if isinstance(error, httpx2.TimeoutException):
        return f"{host} does not answer: check the address and the firewall in between"
    return f"{host} cannot be reached: check the address and the network"
