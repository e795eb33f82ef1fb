"""Builds integrations from their settings, with the adapters that they name. Connects to nothing.

Apart from `assembly`, so that commands which serve no pages do not load what serves them.
"""

import structlog

from greenroom.addin.texts import AddinTexts
from greenroom.calendars import Calendars
from greenroom.meetings.templates import TextProblem, Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.rooms import Platforms
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.settings import Integration as IntegrationSettings
from greenroom.settings import Settings
from greenroom.settings.ways import ways_of

log = structlog.get_logger(__name__)


def text_problems(entry: IntegrationSettings) -> list[TextProblem]:
    """Return what is wrong with the administrator's texts, those of the add-in included; the packaged ones stand in for them."""
    found = Texts(entry.texts.folder, entry.texts.language).lint()
    if entry.addin is not None:
        wrong = AddinTexts(entry.texts.folder).problems
        found += [TextProblem(one.file, one.line, one.problem, one.allowed) for one in wrong]
    return found


def build_integrations(settings: Settings, calendars: Calendars, platforms: Platforms) -> list[Integration]:
    """Build all integrations with the adapters their settings name. Connects to nothing yet. Raises CalendarError.

    Texts of the administrator's that are wrong are logged here; the packaged ones stand in for them.
    """
    built = [_build(entry, settings, calendars, platforms) for entry in settings.integration]
    for integration in built:
        for problem in integration.texts.lint():
            log.error("text is wrong", file=problem.file, line=problem.line, problem=problem.problem)
    return built


def _build(entry: IntegrationSettings, settings: Settings, calendars: Calendars, platforms: Platforms) -> Integration:
    keys = {key.id: key.key for key in entry.ticket_keys}
    return Integration(
        number=entry.number,
        name=entry.name,
        mailbox=calendars.open(entry),
        platform=platforms.open(entry),
        policy=entry.policy,
        aliases=entry.alias.plan,
        ring=KeyRing(entry.ticket_prefix, entry.number, keys, current=entry.ticket_keys[0].id),
        texts=Texts(entry.texts.folder, entry.texts.language),
        links=JoinLinks(settings.service.public_url, ways_of(entry)),
        elsewhere=calendars.open_elsewhere(entry),
    )
