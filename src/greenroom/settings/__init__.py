"""The configuration: one TOML file with the environment laid over it, as one frozen value.

`load_settings` gives `Settings` or raises `SettingsError` with every problem found, each with file, line and key. A new
setting is declared in `model`, `integration` or `exchange` and needs nothing else: messages, reference and example are made from
its declaration. What follows from several settings together is checked in `checks`.
"""

from greenroom.settings.exchange import (
    EwsExchange,
    EwsOrganizers,
    Exchange,
    GraphExchange,
    GraphOrganizers,
    Organizers,
    OverEws,
    OverGraph,
)
from greenroom.settings.integration import (
    AliasPool,
    Dial,
    Integration,
    MeetingPolicy,
    Platform,
    TextSettings,
    TicketKey,
)
from greenroom.settings.load import load_settings
from greenroom.settings.model import Service, Settings, Storage
from greenroom.settings.problems import Problem, SettingsError

__all__ = [
    "AliasPool",
    "Dial",
    "EwsExchange",
    "EwsOrganizers",
    "Exchange",
    "GraphExchange",
    "GraphOrganizers",
    "Integration",
    "MeetingPolicy",
    "Organizers",
    "OverEws",
    "OverGraph",
    "Platform",
    "Problem",
    "Service",
    "Settings",
    "SettingsError",
    "Storage",
    "TextSettings",
    "TicketKey",
    "load_settings",
]
