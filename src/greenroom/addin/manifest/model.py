"""What a manifest is made of, as values: nothing here knows files, settings or the clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5


class Profile(StrEnum):
    """Where a manifest is installed: what Exchange Server does not know is left out of its own."""

    EXCHANGE_ONPREM = "exchange-onprem"
    EXCHANGE_ONLINE = "exchange-online"


class SendMode(StrEnum):
    """What Outlook does when the check before sending finds something (LaunchEvent's `SendMode`)."""

    ASK = "PromptUser"
    HOLD = "SoftBlock"


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """Office's older single sign-on (`WebApplicationInfo`): the application's id, and the URI its tokens are for."""

    client_id: str
    resource: str
    scopes: tuple[str, ...] = ("openid", "profile")


@dataclass(frozen=True, slots=True)
class ManifestSettings:
    """All that a manifest says, but its version.

    `public_url` is the origin of the pages, without a slash at its end, and `integration` the number in their addresses.
    `app_domains` are origins. `words` holds the texts by language (`en` at least) and key; see `wording` for the keys.
    `single_sign_on` and `mobile` count for Exchange Online only, `send_mode` is None where nothing is checked before sending.
    """

    profile: Profile
    id: str
    public_url: str
    integration: int
    provider: str
    support_url: str
    words: Mapping[str, Mapping[str, str]]
    permission: str = "ReadWriteItem"
    send_mode: SendMode | None = None
    mobile: bool = True
    app_domains: tuple[str, ...] = ()
    single_sign_on: SingleSignOn | None = None

    @property
    def online(self) -> bool:
        """Whether this is for Exchange Online."""
        return self.profile is Profile.EXCHANGE_ONLINE

    @property
    def base(self) -> str:
        """Where the pages of this integration lie; ends with a slash."""
        return f"{self.public_url}/addin/{self.integration}/"


def addin_id(public_url: str, mailbox: str) -> str:
    """Make an add-in's id from what tells deployments apart: it stays, and no other environment has it.

    Two add-ins of one id replace each other, so that a test installation would take the place of the real one.
    """
    return str(uuid5(NAMESPACE_URL, f"{public_url.lower()}/addin#{mailbox.lower()}"))
