"""How much does a meeting cost over Graph? Greenroom, python-o365 and msgraph-sdk do the same job over real HTTPS, in one run.

So many new ticketed invitations wait in each one's equipment mailbox, each in a simulator of its own. Each program reads them,
finds the ticket and accepts every meeting with a text, then looks once more and sees its own answers come back. Greenroom
besides that keeps a database, provides rooms, stays within the 30 messages a minute that Exchange Online lets a mailbox send,
and could die at any moment.

    python bench/graph.py                     the table, and how long people wait
    python bench/graph.py --json              for programs
    python bench/graph.py --only greenroom    without the comparison and the waiting
    python bench/graph.py --latency           only how long people wait
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

import graph_greenroom
import graph_latency
import graph_peers
import job
from graph_greenroom import GreenroomCost
from graph_latency import Waits
from graph_peers import PeerCost
from support.certificates import of_this_machine
from support.peer import PEERS, PeerMissingError

SIDES = ("greenroom", *PEERS)


@dataclass(frozen=True)
class Side:
    """One program with the simulator it gets."""

    name: str
    seed: dict[str, object]
    options: tuple[str, ...]
    attend: Callable[[Path, job.Referee], GreenroomCost | PeerCost]


def side(name: str, count: int) -> Side:
    """Say what a side works on. Others than Greenroom meet no limit of messages: they would wait out real minutes."""
    if name == "greenroom":
        seed = graph_greenroom.seed(count)
        return Side(name, seed, (), lambda folder, at: asyncio.run(graph_greenroom.attend(folder, at, count)))
    seed = graph_peers.seed(name, count)
    return Side(name, seed, ("--lenient",), lambda _, at: graph_peers.attend(name, at, count))


def run(count: int, names: tuple[str, ...]) -> list[GreenroomCost | PeerCost]:
    """Let each side do its job, one after the other."""
    costs = []
    for one in (side(name, count) for name in names):
        with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as place:
            folder = Path(place)
            papers = of_this_machine(folder)
            tls = ("--tls-cert", str(papers.certificate), "--tls-key", str(papers.key))
            with job.exchange(folder, one.seed, (*tls, *one.options), authority=papers.certificate) as referee:
                try:
                    costs.append(one.attend(folder, referee))
                except PeerMissingError as error:
                    print(f"Left out: {error}.", file=sys.stderr)
    return costs


def table(costs: list[GreenroomCost | PeerCost]) -> str:
    """Lay the numbers side by side; ratios say how much more the others need, or how much less they get done."""
    ours = costs[0]
    lines = [f"{ours.meetings} new ticketed meetings over Graph, answered and seen again"]
    lines.append("".ljust(38) + "".join(cost.side.rjust(14) for cost in costs) + "     ratios" * bool(costs[1:]))

    def row(label: str, values: list[float | None], *, more_is_better: bool = False) -> None:
        line = label.ljust(38) + "".join(("-" if v is None else f"{v:.2f}").rjust(14) for v in values)
        first = values[0]
        for other in values[1:]:
            if first and other:
                line += f"{(first / other if more_is_better else other / first):9.1f}x"
        lines.append(line)

    row("Graph calls per meeting, all", [cost.calls_per_meeting for cost in costs])
    row("  beyond the polls that come anyway", [_of(cost, "calls_per_meeting_beyond_polls") for cost in costs])
    row("  without the replies", [_without_replies(cost) for cost in costs])
    beyond = [_of(cost, "calls_per_meeting_without_replies_beyond_polls") for cost in costs]
    row("  without both", beyond)
    row("answers 429", [float(cost.throttled) for cost in costs])
    row("meetings per second of own work", [cost.meetings_per_second for cost in costs], more_is_better=True)
    row("CPU ms per meeting", [cost.cpu_ms_per_meeting for cost in costs])
    lines += [f"calls of {c.side}: " + ", ".join(f"{n} {op}" for op, n in sorted(c.operations.items())) for c in costs]
    if isinstance(ours, GreenroomCost):
        lines += ["", *_by_the_clock(ours)]
    others = [cost.side for cost in costs if isinstance(cost, PeerCost)]
    if others:
        told = f"Here {' and '.join(others)} may send as fast as they can; with the limit they would wait"
        lines += ["", f"{told} {ours.meetings / 30:.0f} real minutes."]
    return "\n".join(lines)


def _of(cost: GreenroomCost | PeerCost, name: str) -> float | None:
    return getattr(cost, name, None)


def _without_replies(cost: GreenroomCost | PeerCost) -> float:
    if isinstance(cost, GreenroomCost):
        return cost.calls_per_meeting_without_replies
    return (cost.calls - cost.operations.get("AcceptEvent", 0)) / cost.meetings


def _by_the_clock(cost: GreenroomCost) -> list[str]:
    full = cost.replies_in_full_minutes
    counts = f"{min(full)} / {sum(full) / len(full):.1f} / {max(full)}" if full else "no full minute"
    return [
        "Greenroom by a simulated clock, with the limits of Exchange Online:",
        f"  polls of an idle mailbox in the same time      {cost.polls} calls, of {cost.calls}",
        f"  all rooms exist after                          {cost.rooms_complete_after:.0f} s",
        f"  the second look begins after                   {cost.second_look_after:.0f} s",
        f"  the first one took                             {cost.first_look_seconds:.1f} s of real work",
        f"  replies a minute                               {cost.replies_per_minute:.2f}",
        f"  in full minutes: least / mean / most           {counts}",
        f"  most in any 60 seconds                         {cost.most_replies_in_a_minute}",
        f"  the last reply is out after                    {cost.last_reply_after:.0f} s",
    ]


def waits_table(waits: list[Waits]) -> str:
    """Tell how long people wait."""
    lines = [
        "How long people wait, in real seconds, with everything on this machine (Microsoft's own delays come on top):"
    ]
    lines.append(
        "".ljust(38)
        + "".join(text.rjust(11) for text in ("meetings", "room p50", "p99", "most", "reply p50", "p99", "most"))
    )
    for one in waits:
        numbers = (*one.to_room, *one.to_reply)
        lines.append(one.way.ljust(38) + str(one.meetings).rjust(11) + "".join(f"{number:11.2f}" for number in numbers))
    return "\n".join(lines)


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description="What does a meeting cost over Graph?")
    parser.add_argument("--meetings", type=int, default=500)
    parser.add_argument("--only", choices=SIDES)
    parser.add_argument("--latency", action="store_true", help="only how long people wait")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    names = () if arguments.latency else (arguments.only,) if arguments.only else SIDES
    costs = run(arguments.meetings, names)
    waits = [] if arguments.only else graph_latency.run()
    if arguments.json:
        print(json.dumps([asdict(one) for one in (*costs, *waits)], indent=2))
        return
    if costs:
        print(table(costs) + "\n")
    if waits:
        print(waits_table(waits))


if __name__ == "__main__":
    main()
