"""How the connector that scheduled meetings before is set, beside our own settings, and as lines of a configuration."""

import json
from dataclasses import dataclass

from greenroom.meetings.legacy import LegacyConnector
from greenroom.settings import Integration

_TEXTS = {
    "accept_edited_occurrence_template": "accept_edited_occurrence.html.j2",
    "accept_edited_recurring_series_template": "accept_edited_series.html.j2",
    "accept_edited_single_meeting_template": "accept_edited_single.html.j2",
    "accept_new_recurring_series_template": "accept_new_series.html.j2",
    "accept_new_single_meeting_template": "accept_new_single.html.j2",
    "conference_description_template": "room_description.txt.j2",
    "conference_name_template": "room_name.txt.j2",
    "conference_subject_template": "room_subject.txt.j2",
    "meeting_instructions_template": "joining_instructions.html.j2",
    "personal_vmr_description_template": "personal_description.txt.j2",
    "personal_vmr_instructions_template": "personal_instructions.html.j2",
    "personal_vmr_location_template": "personal_location.txt.j2",
    "personal_vmr_name_template": "personal_name.txt.j2",
    "placeholder_instructions_template": "placeholder_instructions.html.j2",
    "reject_alias_conflict_template": "decline_alias_conflict.html.j2",
    "reject_alias_deleted_template": "decline_alias_deleted.html.j2",
    "reject_general_error_template": "decline_error.html.j2",
    "reject_invalid_alias_id_template": "decline_invalid_ticket.html.j2",
    "reject_recurring_series_past_template": "decline_past_series.html.j2",
    "reject_single_meeting_past": "decline_past_single.html.j2",
    "scheduled_alias_description_template": "alias_description.txt.j2",
}
"""Which text of ours says what one of the connector's says."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of both sides; `theirs` as our configuration would say it."""

    table: str
    name: str
    theirs: str | int | None
    ours: str | int | None

    @property
    def same(self) -> bool:
        """Whether nothing is to be done."""
        return self.theirs == self.ours

    @property
    def line(self) -> str:
        """The line that sets it like the connector."""
        return f"{self.name} = {self.theirs if isinstance(self.theirs, int) else json.dumps(self.theirs, ensure_ascii=False)}"


def compared(entry: Integration, connector: LegacyConnector) -> list[Setting]:
    """Compare what both sides have a setting for."""
    rooms = None if entry.pexip is None else entry.pexip.rooms
    found = [
        Setting("alias", "prefix", connector.prefix.lower(), entry.alias.prefix),
        Setting("alias", "digits", connector.digits, entry.alias.digits),
        Setting("alias", "domain", connector.domain, entry.alias.domain),
        Setting("meetings", "before", connector.before, entry.meetings.before),
        Setting("meetings", "after", connector.after, entry.meetings.after),
        Setting("pexip.rooms", "theme", connector.theme, None if rooms is None else rooms.theme),
    ]
    if rooms is not None and (connector.identity_provider_group or rooms.host_identity_provider_group):
        found += [
            Setting(
                "pexip.rooms",
                "host_identity_provider_group",
                connector.identity_provider_group,
                rooms.host_identity_provider_group,
            ),
            Setting("pexip.rooms", "non_idp_participants", connector.non_idp_participants, rooms.non_idp_participants),
        ]
    return found


def toml_of(entry: Integration, connector: LegacyConnector) -> str:
    """Write the tables of an integration that behaves like the connector. Texts are named, not taken over."""
    lines = [
        f"# Like the connector {json.dumps(connector.name, ensure_ascii=False)}, for the integration {entry.name}."
    ]
    table = ""
    for setting in compared(entry, connector):
        if setting.theirs is None:
            continue
        if setting.table != table:
            table = setting.table
            lines += ["", f"[integration.{table}]"]
        lines.append(setting.line)
    if connector.templates:
        lines += [
            "",
            "# Texts of the connector, and the file in texts.folder that says the same here; variables differ:",
        ]
        lines += [
            f"#   {name} ({size} characters): {_TEXTS.get(name, 'none')}" for name, size in connector.templates.items()
        ]
    return "\n".join(lines) + "\n"


def setting_json(setting: Setting) -> dict[str, object]:
    """Write a setting for `--json`."""
    where = f"integration.{setting.table}.{setting.name}"
    return {"setting": where, "connector": setting.theirs, "greenroom": setting.ours, "same": setting.same}
