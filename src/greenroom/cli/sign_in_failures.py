"""What to do when EWS refuses a sign-in: by the way of signing in, and by what the protocol lets us know.

Basic and NTLM only ever answer 401, whatever is wrong: one sentence then names all that can be, each with the command that
shows it. A domain controller that is asked for tickets tells what it is.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from greenroom.exchange.errors import SignInError
from greenroom.exchange.tokens import SignInLostError
from greenroom.settings import OverEws
from greenroom.setup import powershell

BY_ITSELF: Final = "A running Greenroom tries again after a quarter of an hour, then ever more seldom"
_DIRECTORY: Final = "Get-WebServicesVirtualDirectory | Set-WebServicesVirtualDirectory"
_LOOK: Final = "Get-WebServicesVirtualDirectory | Format-List Server,*Authentication,ExtendedProtection*"
_NEVER_TRIED: Final = ("not-offered", "other-ways")
_BY_HAND: Final = (
    "access_denied",
    "authorization_declined",
    "expired_token",
    "timeout",
    "AADSTS65004",
    "AADSTS70020",
    "AADSTS54005",
)


def sign_in_ews(error: SignInError, exchange: OverEws, where: str) -> str:
    """Say what mends a refused sign-in at `where`, the Exchange's place in the configuration."""
    return _WAYS.get(exchange.auth, _by_token)(error, exchange, where)


def _by_basic(error: SignInError, exchange: OverEws, where: str) -> str:
    if error.code in _NEVER_TRIED:
        return (
            f"Switch it on in the Exchange Management Shell: {_DIRECTORY} -BasicAuthentication $true; or set "
            f'{where}.auth = "ntlm".'
        )
    return (
        f"Correct username and password of {where}; see that the account is not locked, disabled or expired "
        f"({_account(exchange)}), that no policy keeps it from Basic authentication ({_policy(exchange)}), and that Basic "
        f"authentication is switched on for the EWS virtual directory ({_LOOK}). {BY_ITSELF}, so that no account is locked."
    )


def _by_ntlm(error: SignInError, exchange: OverEws, where: str) -> str:
    if error.code in _NEVER_TRIED:
        return (
            f"Switch it on in the Exchange Management Shell: {_DIRECTORY} -WindowsAuthentication $true; where only Negotiate "
            f'is offered, add NTLM to the providers of Windows Authentication in IIS, or set {where}.auth = "kerberos".'
        )
    if error.code == "no-challenge":
        return (
            "See whether a policy denies NTLM on the Exchange server: gpresult /scope computer /h gpresult.html, there "
            f'"Network security: Restrict NTLM"; if that is wanted, set {where}.auth = "kerberos".'
        )
    if error.code == "bad-challenge":
        return f"See that {where}.url leads to Exchange itself, and what a proxy in front of it does with NTLM."
    return (
        f"NTLM does not tell the reason. Correct username and password of {where}; see that the account is not locked, disabled "
        f"or expired, and no member of Protected Users ({_account(exchange)}); and see that nobody in between ends TLS: where "
        f"ExtendedProtectionTokenChecking is on ({_LOOK}), the certificate seen from here must be Exchange's own "
        "(Get-ExchangeCertificate | Format-List Thumbprint,Services), else forward TLS untouched or give the proxy the same "
        f"certificate. {BY_ITSELF}, so that no account is locked."
    )


def _by_kerberos(error: SignInError, exchange: OverEws, where: str) -> str:
    if error.code in _NEVER_TRIED:
        return (
            f"Switch it on in the Exchange Management Shell: {_DIRECTORY} -WindowsAuthentication $true; where only NTLM is "
            "offered, add Negotiate to the providers of Windows Authentication in IIS."
        )
    if error.code == "http-401":
        return (
            f"The domain controller gave a ticket, and Exchange did not take it. See who has the name it is for ({_spn(exchange)}: "
            "the Exchange server, or its alternate service account), and that nobody in between ends TLS: where "
            f"ExtendedProtectionTokenChecking is on ({_LOOK}), the certificate seen from here must be Exchange's own "
            "(Get-ExchangeCertificate | Format-List Thumbprint,Services), else forward TLS untouched or give the proxy the same "
            f"certificate. {BY_ITSELF}."
        )
    step = _AT_THE_CENTER.get(error.code, _IN_ITS_LOG).format(
        where=where, account=_account(exchange), login=_login(exchange)
    )
    return f"{step} {BY_ITSELF}, so that no account is locked."


def way_to_center(where: str) -> str:
    """Say what to look at where no domain controller answers, or the one that does fails."""
    return (
        f"See that this computer reaches a domain controller of the realm by TCP (port 88), and that {where}.kerberos.kdc, or the "
        "DNS if there is none, names the right ones; Greenroom itself tries again by itself."
    )


def _by_token(_error: SignInError, _exchange: OverEws, where: str) -> str:
    return f"Renew the token of {where}."


def _by_oauth(error: SignInError, exchange: OverEws, where: str) -> str:
    if error.code in ("http-401", "refused-before"):
        return (
            f"It is Exchange that does not take the token. See {where}.oauth.resource, the rights of whoever signs in, and in the "
            f"Exchange Management Shell: {_LOOK}; Get-AuthServer. {BY_ITSELF}."
        )
    oauth = exchange.oauth
    shows = oauth is not None and (oauth.certificate_file is not None or oauth.client_secret is not None)
    if isinstance(error, SignInLostError) or error.code in _BY_HAND or not shows:
        name, _, side = where.removeprefix("integration[").rpartition("].")
        return f"Run `greenroom signin --integration {name} --side {side}`; a running service takes it up by itself."
    at_home = 'the application\'s "Certificates & secrets" in the Entra admin center'
    if oauth is not None and oauth.certificate_file is not None:
        return (
            f"See that the certificate of {where}.oauth.certificate_file stands, unexpired, at {at_home}. {BY_ITSELF}."
        )
    return f"Make a new client secret at {at_home} and put its value (not its id) into {where}.oauth.client_secret. {BY_ITSELF}."


_IN_ITS_LOG: Final = "See what the domain controller has noted: its Security log, events 4768 and 4771."
_AT_THE_CENTER: Final = {
    "kerberos-password": "Correct password of {where}.",
    "kerberos-keytab-old": "Write {where}.kerberos.keytab_file anew with ktpass, as docs/exchange-server.md shows.",
    "kerberos-account": "Correct username of {where}, or kerberos.realm if it is in another domain: {account}.",
    "kerberos-password-expired": "Give the account a new password, and let it not expire: Set-ADUser {login} "
    "-PasswordNeverExpires $true; then put it into {where}.",
    "kerberos-account-expired": "Let the account not expire: Clear-ADAccountExpiration {login}.",
    "kerberos-locked": "See which it is: {account}; then Unlock-ADAccount {login} or Enable-ADAccount {login}.",
    "kerberos-policy": "See from where and when it may sign in: Get-ADUser {login} -Properties "
    "LogonWorkstations,LogonHours,AuthenticationPolicy,AuthenticationPolicySilo.",
}


_WAYS: Final[dict[str, Callable[[SignInError, OverEws, str], str]]] = {
    "basic": _by_basic,
    "ntlm": _by_ntlm,
    "kerberos": _by_kerberos,
    "oauth": _by_oauth,
    "bearer": _by_token,
}


def _account(exchange: OverEws) -> str:
    properties = "LockedOut,Enabled,PasswordExpired,AccountExpirationDate,MemberOf"
    return f"Get-ADUser {_login(exchange)} -Properties {properties}"


def _policy(exchange: OverEws) -> str:
    return f"Get-User {_login(exchange)} | Format-List AuthenticationPolicy"


def _spn(exchange: OverEws) -> str:
    named = exchange.kerberos.service if exchange.kerberos is not None else None
    return f"setspn -Q {named or f'HTTP/{urlsplit(exchange.url).hostname}'}"


def _login(exchange: OverEws) -> str:
    """Return the account as Active Directory knows it, quoted for PowerShell."""
    name = (exchange.username or "").rpartition("\\")[2].partition("@")[0]
    try:
        return powershell.literal(name)
    except powershell.UnsafeValueError:
        return "<account>"
