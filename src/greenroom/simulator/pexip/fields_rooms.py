"""Rooms, their aliases, and what they may point to."""

from __future__ import annotations

from typing import Final

from greenroom.simulator.pexip.kinds import (
    OWN,
    RELATED,
    REQUIRED,
    Field,
    choice,
    configuration,
    flag,
    many,
    moment,
    number,
    one,
    text,
)

LAYOUTS: Final = (
    "one_main_zero_pips",
    "one_main_seven_pips",
    "one_main_twentyone_pips",
    "two_mains_twentyone_pips",
    "four_mains_zero_pips",
    "nine_mains_zero_pips",
    "sixteen_mains_zero_pips",
    "twentyfive_mains_zero_pips",
    "five_mains_seven_pips",
)
"""The layouts a room's description in the schema names; themes may bring others."""
DEFAULT_YES_NO: Final = ("default", "yes", "no")
NON_IDP: Final = ("allow_if_trusted", "disallow_all")

CONFERENCE: Final = configuration(
    "conference",
    text("name", default=REQUIRED, unique=True),
    many("aliases", "conference_alias", whole=True, reverse="conference"),
    flag("allow_guests"),
    many("automatic_participants", "automatic_participant", whole=True),
    flag("breakout_rooms"),
    choice("call_type", ("audio", "video", "video-only"), "video"),
    moment("creation_time", readonly=True, made="now"),
    choice("crypto_mode", ("besteffort", "on", "off"), "", nullable=True),
    flag("denoise_enabled"),
    text("description"),
    choice("direct_media", ("never", "best_effort", "always"), "never"),
    number("direct_media_notification_duration", 0, 30, 0),
    flag("enable_active_speaker_indication"),
    choice("enable_chat", DEFAULT_YES_NO, "default"),
    flag("enable_overlay_text"),
    flag("force_presenter_into_main"),
    one("gms_access_token", "gms_access_token"),
    one("guest_identity_provider_group", "identity_provider_group"),
    text("guest_pin", 20),
    text("guest_view", 50, None, nullable=True),
    flag("guests_can_present", default=True),
    choice("guests_can_see_guests", ("no_hosts", "never", "always"), "no_hosts"),
    one("host_identity_provider_group", "identity_provider_group"),
    text("host_view", 50, None, nullable=True),
    one("ivr_theme", "ivr_theme", whole=True),
    choice("live_captions_enabled", DEFAULT_YES_NO, "default"),
    text("match_string"),
    number("max_callrate_in", 128, 8192),
    number("max_callrate_out", 128, 8192),
    choice("max_pixels_per_second", ("sd", "hd", "fullhd"), None, nullable=True),
    one("media_playlist", "media_library_playlist"),
    one("mssip_proxy", "mssip_proxy"),
    flag("mute_all_guests"),
    choice("non_idp_participants", NON_IDP, "disallow_all"),
    text("on_completion", None, nullable=True),
    number("participant_limit", 0, 1_000_000),
    text("pin", 20),
    text("pinning_config", None, None, nullable=True),
    text("post_match_string"),
    text("post_replace_string"),
    text("primary_owner_email_address", 100),
    text("replace_string"),
    many("scheduled_conferences", "scheduled_conference", reverse="conference", readonly=True),
    Field("scheduled_conferences_count", "integer", 0, readonly=True, made="count"),
    choice("service_type", ("conference", "lecture", "two_stage_dialing", "test_call", "media_playback"), "conference"),
    flag("softmute_enabled"),
    text("sync_tag"),
    one("system_location", "system_location"),
    text("tag"),
    one("teams_proxy", "teams_proxy"),
    choice("two_stage_dial_type", ("regular", "mssip", "gms", "teams"), "regular"),
    # What a published schema of this resource lists; it does not have "id".
    filtering={
        "aliases": RELATED,
        "allow_guests": OWN,
        "creation_time": OWN,
        "description": OWN,
        "enable_chat": OWN,
        "enable_overlay_text": OWN,
        "gms_access_token": RELATED,
        "guest_pin": OWN,
        "ivr_theme": RELATED,
        "max_callrate_in": OWN,
        "max_callrate_out": OWN,
        "media_playlist": RELATED,
        "mssip_proxy": RELATED,
        "name": OWN,
        "participant_limit": OWN,
        "pin": OWN,
        "primary_owner_email_address": OWN,
        "scheduled_conferences": RELATED,
        "scheduled_conferences_count": OWN,
        "service_type": OWN,
        "system_location": RELATED,
        "tag": OWN,
        "two_stage_dial_type": OWN,
    },
    ordering=(
        "name",
        "tag",
        "description",
        "service_type",
        "pin",
        "allow_guests",
        "enable_chat",
        "guest_pin",
        "max_callrate_in",
        "max_callrate_out",
        "participant_limit",
        "primary_owner_email_address",
        "enable_overlay_text",
        "creation_time",
    ),
)

CONFERENCE_ALIAS: Final = configuration(
    "conference_alias",
    text("alias", default=REQUIRED, unique=True),
    one("conference", "conference", REQUIRED),
    moment("creation_time", readonly=True, made="now"),
    text("description"),
    number("view_order", 0),
)

IVR_THEME: Final = configuration(
    "ivr_theme",
    text("name", default=REQUIRED, unique=True),
    many("conference", "conference", reverse="ivr_theme", readonly=True),
    text("custom_layouts", None),
    text("pinning_configs", None),
    many("gateway_routing_rule", "gateway_routing_rule", readonly=True),
    moment("last_updated", readonly=True, made="now"),
    Field("package", "file", None, nullable=True, secret=True),
    text("uuid", None, None, unique=True, made="uuid"),
)

IDENTITY_PROVIDER_GROUP: Final = configuration(
    "identity_provider_group",
    text("name", default=REQUIRED, unique=True),
    text("description"),
    many("identity_provider", "identity_provider"),
)

END_USER: Final = configuration(
    "end_user",
    text("primary_email_address", 100, REQUIRED, unique=True),
    text("first_name"),
    text("last_name"),
    text("display_name"),
    text("telephone_number", 100),
    text("mobile_number", 100),
    text("title", 128),
    text("department", 100),
    text("avatar_url", 255),
    text("description"),
    many("user_groups", "user_group"),
    text("user_oid", None, None, nullable=True),
    text("exchange_user_id", None, None, nullable=True),
    text("ms_exchange_guid", 100, None, nullable=True),
    text("sync_tag"),
    text("uuid", None, None, unique=True, readonly=True, made="uuid"),
)

MEDIA_LIBRARY_PLAYLIST: Final = configuration(
    "media_library_playlist",
    text("name", 1024, REQUIRED, unique=True),
    text("description", 1024),
    flag("loop"),
    flag("shuffle"),
    many("playlist_entries", "media_library_playlist_entry", whole=True),
)

_SERVERS: Final = ("dns", "ntp", "syslog")
_SWITCH: Final = ("GLOBAL", "OFF", "ON")
SYSTEM_LOCATION: Final = configuration(
    "system_location",
    text("name", default=REQUIRED, unique=True),
    text("description"),
    *(many(f"{kind}_servers", f"{kind}_server", whole=True) for kind in _SERVERS),
    many("event_sinks", "event_sink", whole=True),
    many("client_stun_servers", "stun_server"),
    many("client_turn_servers", "turn_server"),
    number("mtu", 512, 1500, 1500),
    number("media_qos", 0, 63, 0, nullable=True),
    number("signalling_qos", 0, 63, 0, nullable=True),
    text("local_mssip_domain", 255),
    *(
        one(kind, kind)
        for kind in (
            "h323_gatekeeper",
            "sip_proxy",
            "mssip_proxy",
            "teams_proxy",
            "http_proxy",
            "turn_server",
            "stun_server",
            "snmp_network_management_system",
            "policy_server",
        )
    ),
    *(
        one(which, "system_location")
        for which in (
            "overflow_location1",
            "overflow_location2",
            "transcoding_location",
            "live_captions_dial_out_1",
            "live_captions_dial_out_2",
            "live_captions_dial_out_3",
        )
    ),
    choice("bdpm_pin_checks_enabled", _SWITCH, "GLOBAL"),
    choice("bdpm_scan_quarantine_enabled", _SWITCH, "GLOBAL"),
    flag("use_relay_candidates_only"),
)

ROOMS: Final = (
    CONFERENCE,
    CONFERENCE_ALIAS,
    IVR_THEME,
    IDENTITY_PROVIDER_GROUP,
    END_USER,
    MEDIA_LIBRARY_PLAYLIST,
    SYSTEM_LOCATION,
)
