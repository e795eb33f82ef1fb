"""What can be read about a running platform, and the orders it takes."""

from __future__ import annotations

from typing import Final

from greenroom.simulator.pexip.kinds import REQUIRED, Field, Resource, command, flag, many, moment, number, status, text

_ID: Final = Field("id", "string", readonly=True)

STATUS_CONFERENCE: Final = status(
    "conference",
    _ID,
    text("name"),
    text("service_type", None),
    moment("start_time"),
    flag("is_started"),
    flag("is_locked"),
    flag("guests_muted"),
    flag("direct_media_available"),
    text("tag"),
)

STATUS_PARTICIPANT: Final = status(
    "participant",
    _ID,
    *(text(name, 250) for name in ("conference", "service_tag", "system_location")),
    *(text(name, 1000) for name in ("call_tag", "destination_alias", "display_name", "source_alias")),
    *(text(name, 200) for name in ("call_uuid", "vendor")),
    *(text(name, 50) for name in ("media_node", "proxy_node", "remote_address", "signalling_node")),
    *(
        text(name, None)
        for name in (
            "call_direction",
            "call_quality",
            "conversation_id",
            "encryption",
            "idp_uuid",
            "license_type",
            "parent_id",
            "participant_alias",
            "protocol",
            "role",
            "service_type",
        )
    ),
    *(
        flag(name)
        for name in (
            "has_media",
            "is_client_muted",
            "is_direct",
            "is_disconnect_supported",
            "is_idp_authenticated",
            "is_mute_supported",
            "is_muted",
            "is_on_hold",
            "is_presentation_supported",
            "is_presenting",
            "is_recording",
            "is_streaming",
            "is_transcribing",
            "is_transfer_supported",
            "transcoding_enabled",
        )
    ),
    *(number(name) for name in ("bandwidth", "rx_bandwidth", "tx_bandwidth", "license_count")),
    number("remote_port", 0, 65535, 0),
    moment("connect_time"),
)

_LICENCES: Final = ("audio", "ghm", "otj", "port", "scheduling", "system", "teams", "telehealth", "vmr")
STATUS_LICENSING: Final = status(
    "licensing",
    *(number(f"{kind}_{which}", 0, None, 0) for kind in _LICENCES for which in ("count", "total")),
    *(flag(f"{name}_active") for name in ("customlayouts", "googletrustedjoin", "zoomtrustedjoin")),
)

STATUS_EXCHANGE_SCHEDULER: Final = status(
    "exchange_scheduler", number("id", 1), number("exchange_connector_id", 1), moment("last_modified_time")
)

_HISTORY: Final = (
    _ID,
    text("name"),
    text("service_type", None),
    moment("start_time"),
    moment("end_time"),
    text("tag"),
    number("duration"),
    number("participant_count"),
    number("instant_message_count"),
    flag("direct_media_available"),
)
HISTORY_CONFERENCE: Final = Resource(
    "history",
    "conference",
    (*_HISTORY, many("participants", "participant"), Field("resource_uri", "string", readonly=True)),
    {field.name: 1 for field in _HISTORY},
    tuple(field.name for field in _HISTORY),
    ("get",),
)

CONFERENCE_DISCONNECT: Final = command("conference/disconnect", text("conference_id", 200, REQUIRED))
PARTICIPANT_DISCONNECT: Final = command("participant/disconnect", text("participant_id", 200, REQUIRED))

STATUS: Final = (
    STATUS_CONFERENCE,
    STATUS_PARTICIPANT,
    STATUS_LICENSING,
    STATUS_EXCHANGE_SCHEDULER,
    HISTORY_CONFERENCE,
    CONFERENCE_DISCONNECT,
    PARTICIPANT_DISCONNECT,
)
