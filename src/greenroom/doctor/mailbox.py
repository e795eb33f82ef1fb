"""What kind of mailbox it is: neither protocol tells, so it is said how to find out."""

from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.findings import About
from greenroom.doctor.remedies import look_into, quoted
from greenroom.settings import Integration

KIND = "mailbox-kind"


def kind_check(entry: Integration) -> Check:
    """Make the check; an administrator's export (`--facts`) has the answer, and takes its place."""

    async def look() -> list[Finding]:
        about = About(KIND, entry.mailbox)
        show = f"Get-Mailbox -Identity {quoted(entry.mailbox)} | Format-List RecipientTypeDetails"
        what = "Its kind and its calendar processing cannot be read from outside; what they do can be seen."
        return [about.unknown(what, f"{look_into(entry)}. By hand: {show}")]

    return Check(KIND, entry.mailbox, look)
