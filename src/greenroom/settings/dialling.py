"""How people get into rooms, as settings: the web app, and telephone numbers by country."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from greenroom.meetings import dialling
from greenroom.meetings.dialling import WaysToJoin, pexip_ways
from greenroom.settings.fields import RootAddress, Section, setting

if TYPE_CHECKING:
    from greenroom.settings.integration import Integration


class WebApp(Section):
    """Pexip's web app, to which "Join now" leads."""

    node: RootAddress = setting(
        about="Address of the Conferencing Node, or of the proxy in front, that serves the web app.",
        allowed="an https address without a path (http only to this computer)",
        example="https://vc.example.org",
    )
    version: Literal["webapp3", "webapp2", "webapp"] = setting("webapp3", about="Which web app it serves.")


class Phone(Section):
    """One telephone number that leads to the rooms."""

    country: str = setting(
        about="Country of the number.", allowed="two letters (ISO 3166)", pattern=r"^[A-Z]{2}$", example="DE"
    )
    label: str = setting(
        "", about="What people read before it.", allowed="at most 60 characters", max_length=60, example="Germany"
    )
    number: str = setting(
        about="The number.",
        allowed="an international number such as +49 30 1234567",
        pattern=r"^\+[0-9 ()/.-]{4,30}$",
        example="+49 30 1234567",
    )


def ways_of(integration: "Integration") -> WaysToJoin:
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
