"""Ways to sign in to EWS that need more than a name and a password: Kerberos and OAuth."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr

from greenroom.settings.fields import KdcAddress, ProxyAddress, RootAddress, Section, setting

FILE = "path of a readable file, seen from this file's folder"
_CLIENT_ID = "an id of at most 128 letters, digits, dots and hyphens; of Entra a GUID"


def _not_empty(value: SecretStr) -> SecretStr:
    if not value.get_secret_value():
        raise ValueError("is empty")
    return value


Secret = Annotated[SecretStr, AfterValidator(_not_empty)]


class Kerberos(Section):
    """Signing in by Kerberos (`auth = "kerberos"`): the tickets come from here, not from the machine's own krb5.conf."""

    realm: str = setting(
        about="The realm of the service account: the Active Directory domain in capitals.",
        allowed="a domain name in capitals",
        example="EXAMPLE.ORG",
        pattern=r"^[A-Z0-9](?:[A-Z0-9.-]{0,190}[A-Z0-9])?$",
    )
    kdc: tuple[KdcAddress, ...] = setting(
        (),
        about="Key distribution centers (domain controllers) of the realm, tried in this order. Without them the DNS is asked.",
        allowed="at most 8 of host or host:port",
        example=("dc1.example.org", "dc2.example.org"),
        max_length=8,
    )
    service: str | None = setting(
        None,
        about="The service principal name that Exchange has in Active Directory, if it is not HTTP/ and the host of `url`: "
        "behind a load balancer that of the alternate service account.",
        allowed="HTTP/ and a host name",
        example="HTTP/mail.example.org",
        pattern=r"^HTTP/[A-Za-z0-9](?:[A-Za-z0-9.-]{0,190}[A-Za-z0-9])?$",
    )
    keytab_file: Path | None = setting(
        None,
        about="Keytab with the service account's key, instead of its password.",
        allowed=FILE,
        example="secrets/greenroom.keytab",
        shown=True,
    )


class OAuth(Section):
    """Signing in by OAuth (`auth = "oauth"`): as an application, or as a service account for which `greenroom signin` was done."""

    account: Literal["application", "service-account"] = setting(
        "application",
        about="Who signs in: the application itself with its certificate or secret, or a user, once and by hand, whose refresh "
        "token Greenroom keeps encrypted.",
    )
    tenant: str = setting(
        about="The organisation's directory in Microsoft Entra; `adfs` for AD FS at `login_url`.",
        allowed="the tenant id (a GUID), a domain of the tenant, or adfs",
        example="example.onmicrosoft.com",
        pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,190}[A-Za-z0-9])?$",
    )
    client_id: str = setting(
        about="Application (client) id of the registered application.",
        allowed=_CLIENT_ID,
        example="11111111-2222-3333-4444-555555555555",
        pattern=r"^[A-Za-z0-9.-]{1,128}$",
    )
    resource: RootAddress | None = setting(
        None,
        about="What Exchange calls itself in tokens; the host of `url` if it is left out.",
        allowed="an https address without a path",
        example="https://mail.example.org",
    )
    certificate_file: Path | None = setting(
        None,
        about="Signs in with a certificate (`application`): PEM with the certificate and its key, or PFX.",
        allowed=FILE,
        example="secrets/greenroom.pem",
    )
    certificate_key_file: Path | None = setting(
        None, about="The certificate's private key, where it stands in a PEM file of its own.", allowed=FILE
    )
    certificate_password: Secret | None = setting(
        None, about="Password of the private key or the PFX file.", allowed="text; or set certificate_password_file"
    )
    certificate_password_file: Path | None = setting(None, about="File whose content is that password.", allowed=FILE)
    client_secret: Secret | None = setting(
        None,
        about="Signs in with a client secret (its value, not its id). A service account needs it only where the application is "
        "registered as a confidential client.",
        allowed="text; or set client_secret_file",
    )
    client_secret_file: Path | None = setting(
        None, about="File whose content is the client secret.", allowed=FILE, example="secrets/client-secret"
    )
    client_secret_expires: date | None = setting(
        None,
        about="The day the client secret runs out, as Entra shows it: it is told ahead.",
        allowed="a date such as 2027-06-30",
        example=date(2027, 6, 30),
    )
    cloud: Literal["global", "us-gov-high", "us-gov-dod", "china", "custom"] = setting(
        "global", about="Which Microsoft cloud tokens come from. `custom` takes `login_url`."
    )
    login_url: RootAddress | None = setting(
        None,
        about="Where tokens come from (`custom`).",
        allowed="an https address without a path (http only to this computer)",
        example="https://adfs.example.org",
    )
    proxy: ProxyAddress | None = setting(
        None,
        about="Web proxy on the way to where tokens come from.",
        allowed="http://host:port, without a user name",
        example="http://proxy.example.org:3128",
    )
