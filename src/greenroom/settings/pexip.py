"""`[integration.pexip]`: rooms on Pexip Infinity, by its management API, by external policy, or by both."""

from pathlib import Path
from typing import Literal

from greenroom.settings.dialling import Phone, WebApp
from greenroom.settings.fields import DomainNames, Networks, ProxyAddress, RootAddress, Section, setting
from greenroom.settings.signing_in import Secret

_FILE = "path of a readable file, seen from this file's folder"
_NAME = "a name as Pexip's administrator pages show it, at most 250 characters"


class PexipManagement(Section):
    """The Management Node and how to sign in to its API: as a user (Basic) or as an OAuth2 client."""

    url: RootAddress = setting(
        about="Address of the Management Node.",
        allowed="an https address without a path (http only to this computer)",
        example="https://pexip-manager.example.org",
    )
    username: str | None = setting(
        None,
        about="Account that signs in with a password; it needs to read and write VMRs and aliases.",
        allowed="a user name",
        example="greenroom",
        shown=True,
        min_length=1,
        max_length=150,
    )
    password: Secret | None = setting(None, about="Its password.", allowed="text; or set password_file")
    password_file: Path | None = setting(
        None,
        about="File whose content is the password; keeps it out of this file.",
        allowed=_FILE,
        example="secrets/pexip-password",
        shown=True,
    )
    client_id: str | None = setting(
        None,
        about="Signs in as an OAuth2 client instead: its client id.",
        allowed="the id that Pexip shows for the OAuth2 client",
        min_length=1,
        max_length=250,
    )
    private_key: Secret | None = setting(
        None,
        about="Private key of the OAuth2 client (ES256), as Pexip gave it when the client was made.",
        allowed="PEM text; or set private_key_file",
    )
    private_key_file: Path | None = setting(
        None, about="File with that private key.", allowed=_FILE, example="secrets/pexip-client.pem"
    )
    token_audience: str | None = setting(
        None,
        about="What the Management Node calls its own token address, if it knows itself by another name than `url`.",
        allowed="an address such as https://manager.internal.example.org/oauth/token/",
        max_length=255,
    )
    ca_file: Path | None = setting(
        None,
        about="Certificates to trust besides the system's.",
        allowed="path of a PEM file, seen from this file's folder",
        example="company-ca.pem",
    )
    proxy: ProxyAddress | None = setting(
        None, about="Web proxy on the way to the Management Node.", allowed="http://host:port, without a user name"
    )
    timeout_seconds: int = setting(
        30, about="How long to wait for an answer.", unit="seconds", allowed="1 to 300", ge=1, le=300
    )
    requests_per_minute: int = setting(
        1000,
        about="How many requests the Management Node takes in a minute. Nine tenths are used, by all integrations together.",
        allowed="10 to 1000",
        ge=10,
        le=1000,
    )


class PexipPolicy(Section):
    """External policy: Conferencing Nodes ask `public_url` about every call, and rooms open and close to the second."""

    username: str = setting(
        about="User name of the policy profile in Pexip. Integrations on one Pexip share it, with its password.",
        allowed="1 to 100 characters without a colon",
        pattern=r"^[^:\x00-\x1f]+$",
        min_length=1,
        max_length=100,
        example="greenroom-policy",
    )
    password: Secret | None = setting(None, about="Its password.", allowed="text; or set password_file")
    password_file: Path | None = setting(
        None, about="File whose content is the password.", allowed=_FILE, example="secrets/policy-password", shown=True
    )
    networks: Networks = setting(
        (),
        about="From where questions are taken: the Conferencing Nodes. Empty for anywhere.",
        allowed="a list of IP addresses or networks such as 10.1.0.0/16",
        max_length=256,
        example=["10.1.0.0/16"],
    )
    early_playlist: str | None = setting(
        None,
        about="Media playlist in Pexip that tells callers they are too early; without it the call is rejected.",
        allowed=_NAME,
        min_length=1,
        max_length=250,
    )
    over_playlist: str | None = setting(
        None,
        about="Media playlist in Pexip that tells callers the meeting is over.",
        allowed=_NAME,
        min_length=1,
        max_length=250,
    )
    guesses_per_caller: int = setting(
        10,
        about="So many aliases that look like ours and are none may one caller dial in a minute; then it is turned away.",
        allowed="1 to 10000",
        ge=1,
        le=10_000,
    )
    guesses_per_address: int = setting(
        60, about="The same for all callers behind one address.", allowed="1 to 100000", ge=1, le=100_000
    )
    pause_minutes: int = setting(
        5, about="How long a caller who guessed is turned away.", unit="minutes", allowed="1 to 1440", ge=1, le=1440
    )


class PexipRooms(Section):
    """What all rooms of this integration have in common. What is left out stays as Pexip has it by default."""

    theme: str | None = setting(None, about="Theme.", allowed=_NAME, min_length=1, max_length=250)
    host_identity_provider_group: str | None = setting(
        None,
        about="Identity provider group with which hosts sign in, and everybody where there are no guests.",
        allowed=_NAME,
        min_length=1,
        max_length=250,
    )
    guest_identity_provider_group: str | None = setting(
        None,
        about="Identity provider group with which guests sign in.",
        allowed=_NAME,
        min_length=1,
        max_length=250,
    )
    non_idp_participants: Literal["disallow_all", "allow_if_trusted"] | None = setting(
        None, about="Whether devices that cannot sign in get in: never, or if they are registered here."
    )
    guests_can_present: bool | None = setting(None, about="Whether guests may share their screen.")
    mute_all_guests: bool | None = setting(None, about="Whether guests come in muted.")
    participant_limit: int | None = setting(
        None, about="How many may be in a room at once.", allowed="1 to 1000000", ge=1, le=1_000_000
    )
    call_type: Literal["video", "video-only", "audio"] | None = setting(None, about="What calls may carry.")
    host_view: (
        Literal[
            "one_main_zero_pips",
            "one_main_seven_pips",
            "one_main_twentyone_pips",
            "two_mains_twentyone_pips",
            "four_mains_zero_pips",
            "nine_mains_zero_pips",
            "sixteen_mains_zero_pips",
            "twentyfive_mains_zero_pips",
            "five_mains_seven_pips",
            "one_main_one_pip",
            "one_main_nine_around",
            "one_main_twelve_around",
            "two_mains_eight_around",
        ]
        | None
    ) = setting(None, about="Layout that everybody sees first.")
    crypto_mode: Literal["besteffort", "on", "off"] | None = setting(None, about="Media encryption.")
    enable_chat: Literal["default", "yes", "no"] | None = setting(None, about="Chat.")
    live_captions_enabled: Literal["default", "yes", "no"] | None = setting(None, about="Live captions.")
    max_pixels_per_second: Literal["sd", "hd", "fullhd"] | None = setting(None, about="Highest call quality.")
    max_callrate_in: int | None = setting(
        None, about="Largest bandwidth from each participant.", unit="kbit/s", allowed="128 to 8192", ge=128, le=8192
    )
    max_callrate_out: int | None = setting(
        None, about="Largest bandwidth to each participant.", unit="kbit/s", allowed="128 to 8192", ge=128, le=8192
    )


class Pexip(Section):
    """Rooms on Pexip Infinity. With `management` they are made there, with `policy` Pexip asks us at call time; best with both."""

    provisioning: Literal["ahead", "just-in-time", "none"] | None = setting(
        None,
        about="When rooms are made through the management API: `ahead`, when the meeting is scheduled; `just-in-time`, `lead` "
        "before each window; or `none`, never: they exist by our answers alone. Left out: `ahead` with `management`, else `none`.",
    )
    lead: int = setting(
        5,
        about="How long before a window a room is made just in time. Conferencing Nodes learn of it a minute or two later.",
        unit="minutes",
        allowed="2 to 1440",
        ge=2,
        le=1440,
    )
    grace: int = setting(
        5,
        about="How long behind its window a room stays in Pexip.",
        unit="minutes",
        allowed="0 to 1440",
        ge=0,
        le=1440,
    )
    replication_seconds: int = setting(
        90,
        about="How long Conferencing Nodes take to learn of a new room: 60 to 90 seconds, longer with more than 60 nodes.",
        unit="seconds",
        allowed="0 to 600",
        ge=0,
        le=600,
    )
    alias_quarantine: int = setting(
        90,
        about="How long the alias of a retired room is given to no other.",
        unit="days",
        allowed="0 to 3650",
        ge=0,
        le=3650,
    )
    tag_prefix: str = setting(
        "greenroom",
        about="What the tags begin with that mark our rooms in Pexip. Another one for every Greenroom that uses the same Pexip.",
        allowed="1 to 40 letters, digits, dots or underscores",
        pattern=r"^[A-Za-z0-9._]{1,40}$",
    )
    domains: DomainNames = setting(
        (),
        about="Domains by which the platform is dialled, besides that of the aliases.",
        allowed="a list of domain names",
        max_length=100,
        example=["video.example.org"],
    )
    web_app: WebApp | None = setting(None, about="See below.")
    phone: tuple[Phone, ...] = setting(
        (), about="Telephone numbers that lead to the rooms.", allowed="at most 50 tables", max_length=50
    )
    management: PexipManagement | None = setting(None, about="See below.")
    policy: PexipPolicy | None = setting(None, about="See below.")
    rooms: PexipRooms = setting(about="See below.", default_factory=PexipRooms)

    @property
    def makes_rooms(self) -> str:
        """When rooms are made, also where that was left out."""
        return self.provisioning or ("none" if self.management is None else "ahead")
