"""How an Exchange Server lets programs sign in to EWS: its virtual directories, and who may use EWS."""

from typing import Final, Literal

from greenroom.setup.powershell import Value, Var, Writer, is_not, missing

Auth = Literal["basic", "ntlm", "kerberos", "oauth", "bearer"]
SWITCHES: Final[dict[str, str]] = {
    "basic": "BasicAuthentication",
    "ntlm": "WindowsAuthentication",
    "kerberos": "WindowsAuthentication",
    "oauth": "OAuthAuthentication",
    "bearer": "OAuthAuthentication",
}
"""Which parameter of `Set-WebServicesVirtualDirectory` each way needs."""
REPORTED: Final = ("BasicAuthentication", "WindowsAuthentication", "OAuthAuthentication")
UNDO_SWITCH: Final = {
    "SwitchOffBasic": "Switches Basic authentication for EWS off again, for everybody: only if nothing else needs it."
}
_EXPLAINED: Final = {
    "basic": (
        "Basic: name and password with every request, protected by TLS. Exchange has it off for EWS. It is switched on for "
        "everybody who uses EWS, so only where passwords may travel that way."
    ),
    "ntlm": (
        "NTLM: the password never travels. Exchange has Windows authentication on for EWS unless somebody switched it off. "
        "Extended Protection, on by default since Exchange 2019 CU14, binds the sign-in to the TLS connection. Greenroom sends "
        "what it needs. A load balancer that ends TLS breaks it, unless it speaks TLS to Exchange with the very same certificate."
    ),
    "kerberos": (
        "Kerberos comes with Windows authentication (Negotiate). Behind a load balancer Exchange needs an alternate service "
        "account that owns HTTP/ and the host name: see the steps by hand on the page beside these files."
    ),
    "oauth": (
        "OAuth: tokens of Microsoft Entra (hybrid modern authentication) or AD FS. Exchange has it on for EWS in most "
        "installations; that it trusts the issuer is looked at below."
    ),
}
_EXPLAINED["bearer"] = _EXPLAINED["oauth"]
_THROTTLING: Final = (
    "Throttling is left as it is: Exchange's default policy lets an account have 27 EWS requests under way. Greenroom has at most "
    "a handful under way and slows down when it is told to."
)
_DIRECTORIES: Final = "Get-WebServicesVirtualDirectory"
"""Without -ADPropertiesOnly, though every server is asked then: IIS keeps the ways to sign in, and all would seem to be off."""


def permit(w: Writer, auth: Auth, accounts: tuple[str, ...]) -> None:
    """Write what switches a way to sign in on, on every server that is seen, and EWS for both mailboxes."""
    for paragraph in (_EXPLAINED[auth], _THROTTLING):
        w.comment(paragraph)
        w.blank()
    switch = SWITCHES[auth]
    w.call(_DIRECTORIES, into="Directories")
    with w.each("Directory", Var("Directories")):
        with (
            w.when(is_not(Var("Directory", switch), True)),
            w.should_process(Var("Directory", "Identity"), f"switch on {switch} for EWS"),
        ):
            w.call("Set-WebServicesVirtualDirectory", {"Identity": Var("Directory", "Identity"), switch: True})
            w.warn("Switched on. It counts within a minute; where it does not, run iisreset /noforce on that server.")
        with w.otherwise():
            w.say(f"{switch} is on already.")
    w.blank()
    if switch == "OAuthAuthentication":
        w.comment("Whose tokens Exchange takes. This is for the whole organisation and is only looked at.")
        _look_for_issuer(w)
        w.blank()
    w.comment("EWS must be on for whoever signs in and for the mailbox that is read.")
    with w.each("Address", accounts):
        w.look("Get-CASMailbox", {"Identity": Var("Address")}, into="Access")
        with w.when(missing(Var("Access"))):
            w.stop("A mailbox is not there yet: run the scripts before this one first.")
        with (
            w.when(is_not(Var("Access", "EwsEnabled"), True)),
            w.should_process(Var("Address"), "switch on EWS"),
        ):
            w.call("Set-CASMailbox", {"Identity": Var("Address"), "EwsEnabled": True})
            w.say("EWS is switched on for:")
            w.say(Var("Address"))
        with w.otherwise():
            w.say("EWS is on already for:")
            w.say(Var("Address"))


def read(w: Writer, into: str) -> None:
    """Write what puts into a variable which ways are on; a way counts only where every server has it."""
    names = dict.fromkeys(REPORTED)
    w.call(_DIRECTORIES, into="Directories")
    for name in names:
        w.assign(name, True)
    with w.each("Directory", Var("Directories")):
        for name in names:
            with w.when(is_not(Var("Directory", name), True)):
                w.assign(name, False)
    found: dict[str, Value] = {name: Var(name) for name in names}
    w.assign(into, found)


def withdraw(w: Writer) -> None:
    """Write what switches Basic off again. All other ways are on in Exchange by itself, and stay."""
    w.call(_DIRECTORIES, into="Directories")
    with (
        w.each("Directory", Var("Directories")),
        w.when(is_not(Var("Directory", SWITCHES["basic"]), False)),
        w.should_process(Var("Directory", "Identity"), "switch off Basic authentication for EWS, for everybody"),
    ):
        w.call("Set-WebServicesVirtualDirectory", {"Identity": Var("Directory", "Identity"), SWITCHES["basic"]: False})


def _look_for_issuer(w: Writer) -> None:
    w.call(
        "Get-AuthServer",
        into="Issuer",
        where=("IsDefaultAuthorizationEndpoint", True),
        first=True,
    )
    with w.when(missing(Var("Issuer"))):
        w.warn("No issuer of tokens is the default: set up hybrid modern authentication, or AD FS, first.")
    with w.otherwise():
        w.say("Exchange names an issuer of tokens.")
