"""Steps in the order in which they are done, and the numbered scripts they become."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from greenroom.setup.contract import Script
from greenroom.setup.powershell import Writer


@dataclass(frozen=True, slots=True)
class Step:
    """One script before it has its number. `write` writes its commands; `switches` are its own, with what they are for."""

    slug: str
    title: str
    why: str
    where: str
    write: Callable[[Writer], None]
    changes: bool = True
    switches: dict[str, str] = field(default_factory=dict)


def numbered(steps: Iterable[Step]) -> tuple[Script, ...]:
    """Write the scripts, each with its place in its name."""
    return tuple(_script(place, step) for place, step in enumerate(steps, start=1))


def _script(place: int, step: Step) -> Script:
    w = Writer()
    asks = "It asks before each change; with -WhatIf it only tells what it would do. Run twice it changes nothing the second time."
    how = f"Run it in {step.where}. {asks if step.changes else 'It changes nothing.'}"
    w.header(f"{step.title}.", step.why, how, switches=step.switches, changes=step.changes)
    w.blank()
    step.write(w)
    name = f"{place:02}-{step.slug}.ps1"
    return Script(name, step.title, step.why, step.where, w.text(), step.changes)
