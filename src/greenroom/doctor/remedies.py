"""What mends the settings and rights of a mailbox: the very cmdlets, and the scripts of `greenroom setup`."""

from urllib.parse import urlsplit

from greenroom.doctor.contract import Side
from greenroom.doctor.exchange import ONLINE
from greenroom.settings import Integration
from greenroom.setup.calendar_processing import BY_NAME, Setpoint, existing, needed
from greenroom.setup.powershell import UnsafeValueError, literal


def quoted(value: Setpoint) -> str:
    """Write a value as PowerShell reads it."""
    try:
        return literal(value)
    except UnsafeValueError:
        return "'...'"  # nobody copies what they cannot see


def set_processing(entry: Integration, *names: str, everywhere: bool = False) -> str:
    """Write the cmdlet that brings these settings to the values that this integration needs.

    Those that exist in Exchange Online alone are left out for Exchange Server, unless `everywhere`.
    """
    known = {setting.name for setting in existing(cloud=everywhere or is_online(entry))}
    wanted = [(name, needed(BY_NAME[name], protocol=entry.exchange.protocol)) for name in names if name in known]
    values = " ".join(f"-{name} {quoted(value)}" for name, value in wanted)
    return f"Set-CalendarProcessing -Identity {quoted(entry.mailbox)} {values}"


def keep_cancelled(entry: Integration) -> str:
    """Say what keeps cancelled meetings in the calendar; on Exchange Server there is no such setting."""
    cmdlet = set_processing(entry, "RemoveCanceledMeetings", everywhere=True)
    if is_online(entry):
        return cmdlet
    return f"See which rule, client or person removes them; if the mailbox is in Exchange Online after all: {cmdlet}"


def why_of(name: str) -> str:
    """Return why a setting matters."""
    return BY_NAME[name].why


def is_online(entry: Integration, side: Side = "exchange") -> bool:
    """Whether an Exchange of an integration is Exchange Online."""
    there = entry.exchange if side == "exchange" or entry.organizers is None else entry.organizers
    return there.protocol == "graph" or urlsplit(there.url).hostname in ONLINE


def kind_of(entry: Integration, side: Side = "exchange") -> str:
    """Return which kind of preparation an Exchange of an integration has, as `greenroom setup` calls it."""
    there = entry.exchange if side == "exchange" or entry.organizers is None else entry.organizers
    if there.protocol == "graph":
        return "microsoft-365"
    return "microsoft-365-service-account" if is_online(entry, side) else "exchange-server"


def grant_script(entry: Integration, side: Side = "exchange") -> str:
    """Say which script lets Greenroom act for organizers."""
    kind = kind_of(entry, side)
    if kind == "microsoft-365-service-account":
        return f"Change to Graph, where that can be granted: greenroom setup microsoft-365 --organizers (now: {kind})"
    group = "the person has to be a direct member of its group, and Exchange may take two hours to count a change."
    return f"Run the script that grants rights, of: greenroom setup {kind} --organizers; {group}"


def look_into(entry: Integration) -> str:
    """Say how to look at what no protocol shows, and how to have it judged."""
    return f"Run the check that `greenroom setup {kind_of(entry)}` writes, then: greenroom doctor --facts greenroom-facts.json"
