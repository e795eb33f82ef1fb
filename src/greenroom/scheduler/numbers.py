"""Whose an integration's number is: the mailbox that it was used for first.

Everything that is stored hangs on the number, and so do tickets. A configuration that gives a number to another mailbox, or a
mailbox to another number, would mix up the meetings of two mailboxes or forget those of one: nothing is attended until somebody
has said that it is meant so. The name may be changed at will.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from greenroom.storage import Storage, StorageError, Work

PREFIX = "mailbox-of:"
"""Facts of this name and a number say which mailbox that number is of."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A number that was another mailbox's (`was`), or a mailbox that had another number (`was_number`).

    Addresses are in lower case.
    """

    number: int
    mailbox: str
    was: str = ""
    was_number: int = 0

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.was:
            return f"number {self.number} is that of the mailbox {self.was}, and the configuration gives it to {self.mailbox}"
        return (
            f"{self.mailbox} has the number {self.was_number}, and the configuration gives it the number {self.number}"
        )


class MixedUpError(StorageError):
    """The configuration and what is stored disagree about whose a number is. The text is the first disagreement."""

    def __init__(self, found: tuple[Mixed, ...]) -> None:
        super().__init__(str(found[0]))
        self.found = found


async def mixed_up(work: Work, mailboxes: Mapping[int, str]) -> tuple[Mixed, ...]:
    """Compare mailboxes by number with what is remembered. A number that is new is nobody's yet."""
    known = await _known(work)
    numbers = {address: number for number, address in known.items()}
    found = []
    for number, address in sorted(mailboxes.items()):
        mailbox, was = address.lower(), known.get(number)
        if was is not None and was != mailbox:
            found.append(Mixed(number, mailbox, was=was))
        elif was is None and mailbox in numbers:
            found.append(Mixed(number, mailbox, was_number=numbers[mailbox]))
    return tuple(found)


async def hold_numbers(storage: Storage, mailboxes: Mapping[int, str]) -> None:
    """Remember whose the numbers are. Raises MixedUpError if they are somebody else's, and StorageError."""
    async with storage.reading() as work:
        known = await _known(work)
    if all(known.get(number) == address.lower() for number, address in mailboxes.items()):
        return
    async with storage.work() as work:
        found = await mixed_up(work, mailboxes)
        if found:
            raise MixedUpError(found)
        for number, address in sorted(mailboxes.items()):
            await work.facts.put_first(f"{PREFIX}{number}", address.lower())


async def check_numbers(storage: Storage, mailboxes: Mapping[int, str]) -> None:
    """Do the same without remembering anything."""
    async with storage.reading() as work:
        found = await mixed_up(work, mailboxes)
    if found:
        raise MixedUpError(found)


async def give_numbers(work: Work, mailboxes: Mapping[int, str]) -> tuple[Mixed, ...]:
    """Let the configuration be right; returns what was otherwise. What was stored for a number stays that number's."""
    found = await mixed_up(work, mailboxes)
    for one in found:
        await work.facts.put(f"{PREFIX}{one.number}", one.mailbox)
        if one.was_number and one.was_number not in mailboxes:
            await work.facts.forget(f"{PREFIX}{one.was_number}")
    return found


async def _known(work: Work) -> dict[int, str]:
    found = await work.facts.beginning(PREFIX)
    return {int(number): address for number, address in found.items() if number.isdigit()}
