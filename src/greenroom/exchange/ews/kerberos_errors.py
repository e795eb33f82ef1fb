"""What the codes of Kerberos mean (RFC 4120, 7.5.9, and those of libkrb5). Pure: a code in, an error with its sentence out.

What a domain controller says of an account is a refusal (SignInError): it is not asked again at once. What is wrong about a
service, a realm, a keytab or a clock is a setting (MisconfiguredError), and nobody's account comes nearer to being locked.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError

_BASE: Final = -1765328384
_NAME_EXP, _C_PRINCIPAL_UNKNOWN, _S_PRINCIPAL_UNKNOWN, _NOT_UNIQUE = 1, 6, 7, 8
_POLICY, _ETYPE_NOSUPP, _CLIENT_REVOKED, _SERVICE_REVOKED = 12, 14, 18, 19
_CLIENT_NOTYET, _KEY_EXP, _PREAUTH_FAILED = 21, 23, 24
_SVC_UNAVAILABLE, _BAD_INTEGRITY, _TKT_EXPIRED, _TKT_NYV, _REPEAT, _NOT_US, _BADMATCH = 29, 31, 32, 33, 34, 35, 36
_SKEW, _MODIFIED, _BADKEYVER, _NOKEY = 37, 41, 44, 45
_GENERIC, _WRONG_REALM = 60, 68
_KDCREP_SKEW, _REALM_UNKNOWN, _KDC_UNREACH, _KT_NOTFOUND = 148, 154, 156, 181
_BAD_ENCTYPE, _PREAUTH_GENERIC, _REALM_CANT_RESOLVE = 188, 210, 220

_LAST_SENT: Final = 127
"""Codes after this one are libkrb5's own, or the system's: nobody sent them, so that they refuse nobody."""
_MOST = timedelta(minutes=5)
_RESERVED = 2**31


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked where, for sentences: the account, its realm, the service's principal name, and the keytab if there is one."""

    account: str
    realm: str
    service: str
    keytab: str = ""
    version: int | None = None


def number(code: int) -> int:
    """Return a code as the protocol counts it (libkrb5's own come after): GSSAPI hands it out without a sign."""
    return (code - 2 * _RESERVED if code >= _RESERVED else code) - _BASE


def of_center(code: int, asked: Asked) -> ExchangeError:
    """Say why the account got no ticket at all."""
    found, who, realm = number(code), asked.account, asked.realm
    if found in (_PREAUTH_FAILED, _BAD_INTEGRITY):  # the latter where the account needs no proof ahead
        return _wrong_secret(asked)
    if (refused := _of_account(found, who, realm)) is not None:
        return refused
    if found in (_S_PRINCIPAL_UNKNOWN, _WRONG_REALM, _REALM_UNKNOWN, _REALM_CANT_RESOLVE):
        return MisconfiguredError(
            f"no key distribution center of the realm {realm} is known, or the one that was asked is of another realm",
            hint="set kerberos.realm to the Active Directory domain in capitals, and kerberos.kdc to its domain controllers if "
            "the DNS here does not name them",
            code="kerberos-realm",
        )
    if found in (_ETYPE_NOSUPP, _BAD_ENCTYPE, _PREAUTH_GENERIC):
        return _encryption(f"the account {who}", "Set-ADUser <account> -KerberosEncryptionType AES128,AES256")
    if found == _KT_NOTFOUND:
        return no_key(asked, [])
    return _of_anyone(found, f"the realm {realm}", realm)


def of_context(code: int, asked: Asked, host: str) -> ExchangeError:  # noqa: PLR0911  one return for each meaning
    """Say why there was no ticket for the service, or why `host` did not take it."""
    found = number(code)
    if found in (_S_PRINCIPAL_UNKNOWN, _NOT_UNIQUE, _SERVICE_REVOKED):
        return MisconfiguredError(
            f"the realm {asked.realm} does not know one account as {asked.service}, the name under which Exchange is asked for",
            hint=f"look who has that name: setspn -Q {asked.service} (nobody, or more than one, is wrong); where Exchange has "
            "another name, behind a load balancer for instance, set kerberos.service",
            code="kerberos-service",
        )
    if found in (_MODIFIED, _BADKEYVER, _NOKEY, _NOT_US, _BADMATCH, _BAD_INTEGRITY):
        return MisconfiguredError(
            f"{host} cannot read the ticket for {asked.service}: that name belongs to an account with another key",
            hint=f"setspn -Q {asked.service} must name the account under which Exchange runs: the server itself, or the alternate "
            "service account (RollAlternateServiceAccountPassword.ps1 gives all servers the same password)",
            code="kerberos-service-key",
        )
    if found in (_SKEW, _TKT_NYV):
        return skew(host, None)
    if found in (_ETYPE_NOSUPP, _BAD_ENCTYPE):
        return _encryption(
            f"the account behind {asked.service}", "set msDS-SupportedEncryptionTypes of that account to 24"
        )
    if found in (_TKT_EXPIRED, _REPEAT):
        return TryLaterError(f"the ticket for {host} has run out meanwhile", code="kerberos-ticket")
    if found in (_REALM_UNKNOWN, _WRONG_REALM, _REALM_CANT_RESOLVE):
        return MisconfiguredError(
            f"{asked.service} is in another realm than {asked.realm}, and no key distribution center of it is known",
            hint="leave kerberos.kdc out, so that the DNS is asked for every realm",
            code="kerberos-realm",
        )
    return _of_anyone(found, host, asked.realm)


def skew(host: str, ahead: timedelta | None) -> MisconfiguredError:
    """Say that the clock of Exchange differs from the domain controller's; `ahead` by how much, if that is known."""
    much = "by more than 5 min" if ahead is None else f"by {_minutes(ahead)}"
    way = "" if ahead is None else f" ({'ahead' if ahead > timedelta() else 'behind'})"
    return MisconfiguredError(
        f"the clock of {host} differs from that of the domain controller {much}{way}: Kerberos allows 5 min",
        hint=f"on {host}, run w32tm /query /status and w32tm /resync",
        code="kerberos-skew",
    )


def own_skew(realm: str, behind: timedelta) -> MisconfiguredError | None:
    """Say that this computer's clock differs from the domain controller's; None while that is within what Kerberos allows."""
    if abs(behind) <= _MOST:
        return None
    way = "behind" if behind > timedelta() else "ahead of"
    return MisconfiguredError(
        f"this computer's clock is {_minutes(behind)} {way} that of the domain controller of {realm}: Kerberos allows 5 min",
        hint="set up time synchronisation here: timedatectl timesync-status, or chronyc tracking",
        code="kerberos-skew",
    )


def no_key(asked: Asked, held: list[str]) -> MisconfiguredError:
    """Say that a keytab lacks the account's key; `held` are the names that it holds."""
    others = f" (it holds {', '.join(held)})" if held else ""
    return MisconfiguredError(
        f"the keytab {asked.keytab} holds no key of {asked.account}{others}",
        hint="write it anew with ktpass, as docs/exchange-server.md shows, or correct username: it is the name in the keytab",
        code="kerberos-keytab",
    )


def keytab_unreadable(keytab: str, why: str) -> MisconfiguredError:
    """Say that a keytab is missing, or none."""
    return MisconfiguredError(
        f"the keytab {keytab} cannot be read ({why})",
        hint="check that the file exists, that the service may read it, and that ktpass or ktutil wrote it",
        code="kerberos-keytab",
    )


def unreachable(realm: str) -> TryLaterError:
    """Say that no domain controller answers. Nothing was refused."""
    sentence = f"no key distribution center (domain controller) of {realm} answers"
    return TryLaterError(sentence, code="kerberos-unreachable")


def broken_off(why: str) -> TryLaterError:
    """Say that something on this computer failed while signing in. Nothing was refused."""
    return TryLaterError(f"the sign-in by Kerberos broke off ({why})", code="kerberos-failed")


def not_installed() -> MisconfiguredError:
    """Say that the modules for Kerberos are missing."""
    return MisconfiguredError(
        "signing in by Kerberos needs the Python modules gssapi and krb5, which are not installed",
        hint="run pip install 'greenroom[kerberos]' where Greenroom is installed; before, on Debian: apt-get install libkrb5-dev "
        "gcc python3-dev",
        code="kerberos-missing",
    )


def _of_account(found: int, who: str, realm: str) -> SignInError | None:
    return {
        _C_PRINCIPAL_UNKNOWN: SignInError(
            f"the realm {realm} does not know the account {who}", code="kerberos-account"
        ),
        _KEY_EXP: SignInError(
            f"the password of {who} has expired, or must be changed at the next sign-in",
            code="kerberos-password-expired",
        ),
        _NAME_EXP: SignInError(f"the account {who} has expired", code="kerberos-account-expired"),
        _CLIENT_REVOKED: SignInError(
            f"the account {who} is locked or disabled, or may not sign in at this hour", code="kerberos-locked"
        ),
        _CLIENT_NOTYET: SignInError(f"the account {who} may not sign in yet", code="kerberos-policy"),
        _POLICY: SignInError(
            f"a policy of the realm {realm} does not let the account {who} sign in from here", code="kerberos-policy"
        ),
    }.get(found)


def _wrong_secret(asked: Asked) -> SignInError:
    if not asked.keytab:
        return SignInError(
            f"the domain controller of {asked.realm} refused the password of {asked.account}", code="kerberos-password"
        )
    version = "" if asked.version is None else f" (version {asked.version})"
    return SignInError(
        f"the key{version} of {asked.account} in the keytab {asked.keytab} is not the account's key any more: its password was "
        "changed after the keytab was written",
        code="kerberos-keytab-old",
    )


def _encryption(whose: str, command: str) -> MisconfiguredError:
    return MisconfiguredError(
        f"{whose} has no key of an encryption type that both this computer and the domain controller allow",
        hint=f"allow it AES ({command}), then set its password anew: only then does it get such keys; a keytab is written anew too",
        code="kerberos-encryption",
    )


def _of_anyone(found: int, who: str, realm: str) -> ExchangeError:
    if found == _KDC_UNREACH:
        return unreachable(realm)
    if found in (_SKEW, _KDCREP_SKEW):
        return MisconfiguredError(
            f"this computer's clock differs from that of the domain controller of {realm} by more than 5 min",
            hint="set up time synchronisation here: timedatectl timesync-status, or chronyc tracking",
            code="kerberos-skew",
        )
    if found in (_SVC_UNAVAILABLE, _GENERIC):
        return TryLaterError(
            f"the domain controller of {realm} failed (Kerberos error {found})", code="kerberos-failed"
        )
    if not 0 < found <= _LAST_SENT:
        return broken_off(f"error {found}")
    return SignInError(f"{who} refused the sign-in by Kerberos (error {found})", code="kerberos-refused")


def _minutes(span: timedelta) -> str:
    minutes = round(abs(span) / timedelta(minutes=1))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"
