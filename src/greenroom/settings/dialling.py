"""How people get into rooms, as settings: the web app, and telephone numbers by country."""

from typing import Literal

from greenroom.settings.fields import RootAddress, Section, setting


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
