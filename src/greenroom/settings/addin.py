"""`[integration.addin]`: the Outlook add-in, who may ask it for a room, and how it looks to the Outlooks it runs in."""

from pathlib import Path
from typing import Literal

from greenroom.settings.fields import (
    DomainNames,
    Guid,
    Guids,
    Origins,
    ProxyAddress,
    RootAddress,
    Section,
    WebAddress,
    WebAddresses,
    Words,
    setting,
)

OFFICE_JS = "https://appsforoffice.microsoft.com/lib/1/hosted/office.js"
_CERTIFICATES = "path of a PEM file, seen from this file's folder"
_CLAIM = "name of a claim: letters, digits, and . _ : / -"
_CLAIM_PATTERN = r"^[A-Za-z0-9._:/-]{1,128}$"


class AddinEntra(Section):
    """People of Microsoft 365: access tokens for our own scope, got by nested app authentication."""

    tenants: Guids = setting(
        about="Tenants whose people may ask.",
        allowed="1 to 20 directory (tenant) ids",
        min_length=1,
        max_length=20,
        example=["00000000-0000-0000-0000-000000000000"],
    )
    client_id: Guid = setting(
        about="Application (client) id with which the page in Outlook signs in (redirect brk-multihub://<our host>).",
        allowed="a GUID",
        example="00000000-0000-0000-0000-000000000000",
    )
    api_client_id: Guid | None = setting(
        None,
        about="Application id of the API the tokens are for, where that is a registration of its own; else `client_id`.",
        allowed="a GUID",
    )
    application_id_uri: str | None = setting(
        None,
        about="Application ID URI of that API; without it api://<its application id>.",
        allowed="an address such as api://meet.example.org/00000000-0000-0000-0000-000000000000",
        pattern=r"^(api|https)://[A-Za-z0-9._~/:-]+$",
        max_length=255,
    )
    scope: str = setting(
        "Alias.Request",
        about="The scope that API exposes for asking for rooms.",
        allowed="1 to 120 letters, digits, dots, hyphens or underscores",
        pattern=r"^[A-Za-z0-9._-]{1,120}$",
    )
    login_url: RootAddress = setting(
        "https://login.microsoftonline.com",
        about="Where people and tokens come from; national clouds have another one.",
        allowed="an https address without a path (http only to this computer)",
    )
    more_clients: Guids = setting(
        (),
        about="Further applications whose tokens are taken, such as Office's own for `legacy_sso`.",
        allowed="a list of application ids",
        max_length=50,
    )
    legacy_sso: bool = setting(
        False,
        about="Use Office's older single sign-on where nested app authentication is missing (Office LTSC 2021). It changes the "
        "manifest, which then has to be installed again.",
    )
    require_roles: Words = setting(
        (), about="Only people who have one of these app roles.", allowed="a list of role values", max_length=50
    )
    require_groups: Guids = setting(
        (),
        about="Only members of one of these groups; the tokens must carry the groups claim.",
        allowed="a list of object ids",
        max_length=50,
    )
    email_claim: Literal["upn", "preferred_username", "email"] = setting(
        "preferred_username",
        about="Claim with the address by which the personal rooms of a person are found; `email` counts only if Entra says that "
        "its owner is verified.",
    )
    ca_file: Path | None = setting(
        None, about="Certificates to trust besides the system's, for `login_url`.", allowed=_CERTIFICATES
    )
    proxy: ProxyAddress | None = setting(
        None, about="Web proxy on the way to `login_url`.", allowed="http://host:port, without a user name"
    )


class AddinExchangeTokens(Section):
    """People of an Exchange Server: the identity tokens that it issues itself."""

    metadata_urls: WebAddresses = setting(
        about="Authentication metadata documents of your Exchange, exactly as its tokens name them (`amurl`): one for each name "
        "it is reached by. Nothing else is ever fetched.",
        allowed="1 to 20 https addresses",
        min_length=1,
        max_length=20,
        example=["https://mail.example.org:443/autodiscover/metadata/json/1"],
    )
    ca_file: Path | None = setting(
        None, about="Certificates to trust besides the system's, for these addresses.", allowed=_CERTIFICATES
    )


class AddinOidc(Section):
    """People of any OpenID Connect provider, such as AD FS: they sign in in a window of its own."""

    issuer: str = setting(
        about="Issuer that the access tokens name. That of AD FS is http://<its host>/adfs/services/trust.",
        allowed="an address, compared letter by letter and never opened",
        pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]{1,250}$",
        max_length=255,
        example="http://fs.example.org/adfs/services/trust",
    )
    metadata_url: WebAddress = setting(
        about="Where the provider describes itself.",
        allowed="an https address (http only to this computer)",
        max_length=255,
        example="https://fs.example.org/adfs/.well-known/openid-configuration",
    )
    client_id: str = setting(
        about="Client id of the add-in there: a public client, with PKCE and the redirect "
        "<public_url>/addin/signed-in.html.",
        allowed="1 to 255 characters",
        min_length=1,
        max_length=255,
        example="greenroom-addin",
    )
    audience: str = setting(
        about="Audience of the access tokens: the identifier of this API at the provider.",
        allowed="1 to 255 characters",
        min_length=1,
        max_length=255,
        example="https://meet.example.org/addin",
    )
    resource: str | None = setting(
        None,
        about="Resource to name when signing in, where the provider wants one (AD FS: the relying party identifier).",
        allowed="1 to 255 characters",
        min_length=1,
        max_length=255,
    )
    scopes: Words = setting(
        ("openid",), about="Scopes to ask for.", allowed="a list of scopes", min_length=1, max_length=20
    )
    require_scope: str | None = setting(
        None, about="Scope that an access token must have.", allowed="a scope", min_length=1, max_length=120
    )
    groups_claim: str = setting(
        "groups", about="Claim that lists a person's groups.", allowed=_CLAIM, pattern=_CLAIM_PATTERN
    )
    require_groups: Words = setting(
        (), about="Only people who are in one of these groups.", allowed="a list of names", max_length=50
    )
    user_claim: str = setting(
        "sub", about="Claim that names a person for good.", allowed=_CLAIM, pattern=_CLAIM_PATTERN
    )
    email_claim: str = setting(
        "email",
        about="Claim with the address by which the personal rooms of a person are found.",
        allowed=_CLAIM,
        pattern=_CLAIM_PATTERN,
    )
    email_is_verified: bool = setting(
        False, about="Believe that address also where the token does not say `email_verified`: the directory sets it."
    )
    ca_file: Path | None = setting(
        None, about="Certificates to trust besides the system's, for the provider.", allowed=_CERTIFICATES
    )


class AddinPersonalRooms(Section):
    """The permanent rooms that a person already has on the platform."""

    host_pin: bool = setting(
        False, about="Put the host's PIN into the instructions where a room has no guests' PIN to give."
    )


class Addin(Section):
    """The Outlook add-in: `greenroom addin manifest` prints what is installed in Exchange."""

    id: Guid | None = setting(
        None,
        about="Id of the add-in. Without one it is made from public_url and the mailbox: set it to keep it when these change.",
        allowed="a GUID, another one for every environment",
    )
    mailbox_name: str = setting(
        "",
        about="Name under which the equipment mailbox is invited, until Exchange puts its own there; empty for its address.",
        allowed="at most 255 characters",
        max_length=255,
        example="Video room",
    )
    provider: str = setting(
        "Greenroom",
        about="Whose add-in this is, as Outlook shows it.",
        min_length=1,
        max_length=125,
        allowed="1 to 125 characters",
    )
    support_url: WebAddress | None = setting(
        None,
        about="Where people find help; without it the page at `public_url`.",
        allowed="an https address",
        max_length=2048,
    )
    permission: Literal["ReadWriteItem", "ReadWriteMailbox"] = setting(
        "ReadWriteItem",
        about="What Outlook lets the add-in do. Some builds of classic Outlook (2510 to 2605) wrongly want ReadWriteMailbox for "
        "Exchange's identity tokens; a change has to be approved again.",
    )
    send_check: Literal["off", "ask", "hold"] = setting(
        "off",
        about="Whether Outlook looks, before sending, for a room that lost its mailbox or its text: `ask` lets people send anyway, "
        "`hold` not while the check works.",
    )
    mobile: bool = setting(True, about="Offer the add-in as online meeting provider on phones (Exchange Online only).")
    place: Literal["end", "top"] = setting("end", about="Where joining instructions go in a text that has none yet.")
    office_js_url: WebAddress = setting(
        OFFICE_JS,
        about="Where Office.js is loaded from; another address only where clients cannot reach Microsoft's.",
        allowed="an https address (http only to this computer)",
        max_length=255,
    )
    ajax_url: WebAddress | None = setting(
        None,
        about="MicrosoftAjax.js to load before it, where clients cannot reach ajax.aspnetcdn.com.",
        allowed="an https address (http only to this computer)",
        max_length=255,
    )
    frame_ancestors: Origins = setting(
        (),
        about="Where Outlook on the web lives besides Microsoft's own hosts: your Exchange's addresses.",
        allowed="a list of origins such as https://mail.example.org",
        max_length=50,
        example=["https://mail.example.org"],
    )
    app_domains: DomainNames = setting(
        (),
        about="Further hosts that its windows may open, such as a sign-in page.",
        allowed="a list of host names",
        max_length=50,
    )
    per_minute: int = setting(
        12, about="How many rooms one person may ask for in a minute.", allowed="1 to 600", ge=1, le=600
    )
    unclaimed: int = setting(
        30,
        about="How many rooms one person may have asked for that no invitation has brought yet.",
        allowed="1 to 1000",
        ge=1,
        le=1000,
    )
    keep_days: int = setting(30, about="How long such a room is kept.", unit="days", allowed="1 to 365", ge=1, le=365)
    ahead: int = setting(
        2,
        about="How many rooms a page fetches ahead, for the time that Greenroom cannot be reached. They count as asked for.",
        allowed="0 to 5",
        ge=0,
        le=5,
    )
    entra: AddinEntra | None = setting(None, about="See below.")
    exchange_tokens: AddinExchangeTokens | None = setting(None, about="See below.")
    oidc: AddinOidc | None = setting(None, about="See below.")
    personal_rooms: AddinPersonalRooms | None = setting(None, about="See below.")
