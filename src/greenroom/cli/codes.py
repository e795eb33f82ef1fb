"""What the codes of failed passes mean, in sentences; the codes are Exchange's, Entra's, HTTP's, or our own short words."""

_SENTENCES = {
    "Exchange is busy and asked for a pause.": (
        "ErrorServerBusy",
        "ErrorExceededConnectionCount",
        "TooManyRequests",
        "ApplicationThrottled",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxStoreUnavailable",
        "backing-off",
        "request-limit",
        "http-429",
        "http-503",
    ),
    "Exchange cannot be reached, or does not answer in time.": (
        "unreachable",
        "timeout",
        "closed",
        "http-502",
        "http-504",
        "ErrorTimeoutExpired",
        "ErrorInternalServerTransientError",
    ),
    "Exchange's certificate is not trusted.": ("tls",),
    "Exchange refuses the sign-in.": (
        "SignInError",
        "http-401",
        "refused-before",
        "ErrorPasswordExpired",
        "ErrorPasswordChangeRequired",
        "ErrorAccountDisabled",
        "InvalidAuthenticationToken",
        "no-token",
        "odd-token",
        "token-file",
        "managed-identity",
    ),
    "The domain controller refuses the service account.": (
        "kerberos-password",
        "kerberos-keytab-old",
        "kerberos-account",
        "kerberos-password-expired",
        "kerberos-account-expired",
        "kerberos-locked",
        "kerberos-policy",
        "kerberos-encryption",
        "kerberos-refused",
    ),
    "No domain controller can be reached, or the one that was asked fails.": (
        "kerberos-unreachable",
        "kerberos-failed",
        "kerberos-ticket",
    ),
    "The clocks of this computer, of the domain controller and of Exchange differ by more than 5 min.": (
        "kerberos-skew",
    ),
    "Kerberos is not set up as it has to be for Exchange's name, its realm, or the keytab.": (
        "kerberos-service",
        "kerberos-service-key",
        "kerberos-realm",
        "kerberos-keytab",
        "kerberos-missing",
    ),
    "Exchange does not offer the way to sign in that the settings name.": ("not-offered", "other-ways", "no-challenge"),
    "A proxy in front of Exchange does not keep connections, which signing in by NTLM or Kerberos needs.": (
        "not-kept",
    ),
    "The certificate to sign in with has run out.": ("certificate-expired",),
    "The service account must sign in (again): `greenroom signin`.": (
        "not-signed-in",
        "sign-in-lost",
        "sign-in-sealed",
        "other-application",
        "invalid_grant",
        "interaction_required",
    ),
    "Exchange gives no right to this mailbox.": (
        "NotPermittedError",
        "http-403",
        "ErrorAccessDenied",
        "ErrorImpersonateUserDenied",
        "ErrorImpersonationDenied",
        "ErrorImpersonationFailed",
        "Authorization_RequestDenied",
    ),
    "Exchange does not have this mailbox, or has it on the other side of a hybrid organisation.": (
        "ErrorNonExistentMailbox",
        "ErrorCannotFindUser",
        "ErrorInvalidUser",
        "MailboxNotEnabledForRESTAPI",
        "MailboxNotSupportedForRESTAPI",
        "ErrorWrongServerVersion",
        "Request_ResourceNotFound",
        "ResourceNotFound",
    ),
    "What answers is not the Exchange that the settings name.": (
        "redirected",
        "foreign-link",
        "foreign-metadata",
        "garbled-reply",
        "garbled-answer",
        "bad-challenge",
    ),
}
_BY_CODE = {code: sentence for sentence, codes in _SENTENCES.items() for code in codes}


def failure_sentence(code: str) -> str:
    """Say what kept a pass from its end (`MailboxState.failure`); a code that is not known is sent to the log."""
    if code.startswith("AADSTS"):
        return "Microsoft Entra refuses the sign-in."
    if code not in _BY_CODE and code.startswith("http-5"):
        return "Exchange, or a proxy on the way to it, fails."
    return _BY_CODE.get(code, "The mailbox could not be attended; the log tells more.")
