"""The fields of conferences and aliases as published, and what a refusal (HTTP 400) says about them. Pure.

Source: the schema of the management API (known-product.md 10.2). A refusal is a JSON object that leads by resource and field
to sentences, such as `{"conference": {"name": ["... already exists."]}}`, or `{"error": "..."}`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

CONFERENCE_FIELDS: Final = frozenset(
    """
    aliases allow_guests automatic_participants breakout_rooms call_type creation_time crypto_mode denoise_enabled description
    direct_media direct_media_notification_duration enable_active_speaker_indication enable_chat enable_overlay_text
    force_presenter_into_main gms_access_token guest_identity_provider_group guest_pin guest_view guests_can_present
    guests_can_see_guests host_identity_provider_group host_view id ivr_theme live_captions_enabled match_string
    max_callrate_in max_callrate_out max_pixels_per_second media_playlist mssip_proxy mute_all_guests name
    non_idp_participants on_completion participant_limit pin pinning_config post_match_string post_replace_string
    primary_owner_email_address replace_string resource_uri scheduled_conferences scheduled_conferences_count service_type
    softmute_enabled sync_tag system_location tag teams_proxy two_stage_dial_type
    """.split()  # noqa: SIM905  a list of words is read as words
)
ALIAS_FIELDS: Final = frozenset(
    {"alias", "conference", "creation_time", "description", "id", "resource_uri", "view_order"}
)

_SHOWN = CONFERENCE_FIELDS | ALIAS_FIELDS | {"conference", "conference_alias", "__all__", "error"}
_DEEPEST = 8
_MOST = 50
_CODES = (
    ("taken", re.compile(r"already (?:exist|in use|used|taken|been)|must be unique|not unique|duplicate")),
    ("licence", re.compile(r"licen[cs]")),
    ("required", re.compile(r"required|(?:may|can|must) ?not be (?:blank|null|empty)")),
    ("too-long", re.compile(r"at most \d+|max(?:imum)?[ _]length|too long")),
    ("unknown-object", re.compile(r"could not find|does not exist|no such|invalid (?:resource )?(?:uri|hyperlink)")),
    ("not-a-choice", re.compile(r"valid choice|not one of")),
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One complaint. `path` leads to the field by published names, `code` is our word for the sentence.

    Codes: taken, licence, required, too-long, unknown-object, not-a-choice, refused (anything else).
    """

    path: tuple[str, ...]
    code: str

    @property
    def field(self) -> str:
        """The field complained about; empty where none is named."""
        return self.path[-1] if self.path and self.path[-1] not in ("error", "__all__", "conference") else ""


@dataclass(frozen=True, slots=True)
class FieldErrors:
    """What a refusal says."""

    errors: tuple[FieldError, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The fields that are named."""
        return frozenset(error.field for error in self.errors if error.field)

    @property
    def codes(self) -> frozenset[str]:
        """Every code that occurs."""
        return frozenset(error.code for error in self.errors)

    @property
    def alias_taken(self) -> bool:
        """Whether an alias belongs to another conference."""
        return any(e.code == "taken" and {"alias", "aliases", "conference_alias"} & set(e.path) for e in self.errors)

    @property
    def name_taken(self) -> bool:
        """Whether the name belongs to another conference."""
        return any(e.code == "taken" and e.field == "name" for e in self.errors)

    @property
    def text(self) -> str:
        """Fields and codes, for errors and logs."""
        return ", ".join(sorted({f"{e.field or 'request'}: {e.code}" for e in self.errors})) or "request: refused"


def field_errors(told: Any) -> FieldErrors | None:
    """Read the parsed body of a refusal; None where it is not an object with sentences."""
    if not isinstance(told, dict):
        return None
    found: list[FieldError] = []
    for path, sentence in _sentences(told, (), 0):
        code = next((code for code, pattern in _CODES if pattern.search(sentence[:2000].lower())), "refused")
        found.append(FieldError(path, code))
        if len(found) == _MOST:
            break
    return FieldErrors(tuple(found)) if found else None


def _sentences(told: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    if depth > _DEEPEST:
        return
    if isinstance(told, str):
        yield path, told
    elif isinstance(told, list):
        for part in told:
            yield from _sentences(part, path, depth + 1)
    elif isinstance(told, dict):
        for key, part in told.items():
            yield from _sentences(part, (*path, key) if key in _SHOWN else path, depth + 1)
