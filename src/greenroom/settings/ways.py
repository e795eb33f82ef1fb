"""From what an integration is told of its platform to the ways into its rooms."""

from collections.abc import Sequence
from dataclasses import replace

from greenroom.meetings import dialling
from greenroom.meetings.dialling import WaysToJoin, pexip_ways
from greenroom.settings.dialling import Phone
from greenroom.settings.integration import Integration


def ways_of(integration: Integration) -> WaysToJoin:
    """Return how the rooms of an integration are entered: what its platform brings, and what [integration.platform] adds.

    An administrator's own `meeting_url` goes before the web app of the platform: it may lead to a branded path.
    """
    platform, pexip = integration.platform, integration.pexip
    if platform.kind == "pexip" and pexip is not None:
        app = pexip.web_app
        theirs = pexip_ways(
            None if app is None else app.node,
            "webapp3" if app is None else app.version,
            phones=_phones(pexip.phone),
            domain=integration.alias.domain or next(iter(pexip.domains), ""),
        )
    else:
        theirs = WaysToJoin()
    return replace(
        theirs,
        web_app=platform.meeting_url or theirs.web_app,
        dial=(*theirs.dial, *((dial.label, dial.pattern) for dial in platform.dial)),
        phone=platform.phone,
        qr=platform.qr,
    )


def _phones(phones: Sequence[Phone]) -> tuple[dialling.Phone, ...]:
    return tuple(dialling.Phone(phone.country, phone.number, phone.label) for phone in phones)
