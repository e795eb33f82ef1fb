"""What `recovery.py` measures, each in a process of its own: a recovery by Greenroom, and plain readings of the same calendar.

Prints one line of JSON: seconds, CPU, the highest memory this process had, and what it did.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import resource
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import structlog

import job
from greenroom.assembly import wall_clock
from greenroom.recovering import open_recovery
from greenroom.scheduler.lending import borrowed
from greenroom.scheduler.recovery.plan import plan
from greenroom.scheduler.recovery.recover import recover
from greenroom.settings import load_settings
from recovery_names import MAILBOX, PEER, PEER_ID

_KILOBYTE, _MEGABYTE = 1024, 1_000_000


def highest_memory() -> float:
    """The most memory this process had, in megabytes: what its own address space had, for getrusage also counts its parent's."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KILOBYTE / _MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE / _MEGABYTE


async def greenroom(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what `greenroom recover --yes` does with an empty database: plan, then carry out. Told apart by their seconds."""
    settings = load_settings(arguments.config, {})
    (entry,) = settings.integration
    async with open_recovery(settings, entry, wall_clock, prepare=True) as desk:
        assert desk.storage is not None
        integration, began = desk.integration, time.perf_counter()
        planned = await plan(integration, desk.storage, wall_clock)
        after_plan, memory = time.perf_counter(), highest_memory()
        print(json.dumps({"planned": True}), flush=True)
        sys.stdin.readline()
        continued = time.perf_counter()
        async with borrowed(desk.storage, integration.mailbox.address, wall_clock, mailbox=integration.mailbox):
            done = await recover(integration, desk.storage, desk.attendant(), wall_clock, expected=planned.changes)
        return {
            "plan_seconds": after_plan - began,
            "plan_memory_mb": memory,
            "seconds": time.perf_counter() - continued,
            "meetings": sum(done.done.values()),
            "fates": {str(fate): number for fate, number in done.done.items()},
            "planned": {str(fate): number for fate, number in planned.counts.items()},
            "left": dict(done.left),
            "failed": len(done.failed),
            "mails_said": done.mails + done.updates + done.waiting,
        }


async def pages(arguments: argparse.Namespace) -> dict[str, Any]:
    """Only read the calendar, as the recovery does."""
    settings = load_settings(arguments.config, {})
    (entry,) = settings.integration
    async with open_recovery(settings, entry, wall_clock, prepare=False) as desk:
        began, found = time.perf_counter(), 0
        async for page in desk.integration.mailbox.pages(wall_clock()):
            found += len(page)
        return {"seconds": time.perf_counter() - began, "meetings": found}


def exchangelib_reads(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the calendar as one would with exchangelib, and find the tickets."""
    import exchangelib  # noqa: PLC0415 - the comparison only, and slow to load

    account = exchangelib.Account(
        MAILBOX,
        config=exchangelib.Configuration(
            service_endpoint=arguments.url,
            credentials=exchangelib.Credentials(PEER, job.PASSWORD),
            auth_type=exchangelib.BASIC,
            version=exchangelib.Version(exchangelib.version.EXCHANGE_2016),
        ),
        autodiscover=False,
        access_type=exchangelib.IMPERSONATION,
    )
    wanted = ["subject", "start", "end", "body", "organizer", "my_response_type", "uid", "recurrence"]
    began = time.perf_counter()
    items = account.calendar.all().only(*wanted).order_by("start")
    found = sum(job.ticket_in(str(item.body)) is not None for item in items)
    return {"seconds": time.perf_counter() - began, "meetings": found}


def plain_graph(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the calendar with nothing but requests: pages with bodies, link by link, and find the tickets."""
    trusting = ssl.create_default_context(cafile=arguments.authority)
    with httpx2.Client(timeout=60, trust_env=False, verify=trusting) as http:
        granted = http.post(
            f"{arguments.url}/{arguments.tenant}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": PEER_ID,
                "client_secret": job.PASSWORD,
                "scope": f"{arguments.url}/.default",
            },
        )
        headers = {
            "Authorization": f"Bearer {granted.raise_for_status().json()['access_token']}",
            "Prefer": 'IdType="ImmutableId", outlook.body-content-type="html"',
        }
        query = {
            "$top": "100",
            "$orderby": "start/dateTime",
            "$select": "id,subject,start,end,body,organizer,responseStatus,iCalUId,recurrence",
        }
        began, found = time.perf_counter(), 0
        link = str(httpx2.URL(f"{arguments.url}/v1.0/users/{MAILBOX}/calendar/events", params=query))
        while link:
            page = http.get(link, headers=headers).raise_for_status().json()
            found += sum(job.ticket_in(one["body"]["content"]) is not None for one in page["value"])
            link = page.get("@odata.nextLink", "")
        return {"seconds": time.perf_counter() - began, "meetings": found}


WORKS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "greenroom": lambda arguments: asyncio.run(greenroom(arguments)),
    "pages": lambda arguments: asyncio.run(pages(arguments)),
    "exchangelib": exchangelib_reads,
    "plain-graph": plain_graph,
}


def main() -> None:
    """Do one work and tell."""
    parser = argparse.ArgumentParser(description="One part of the recovery benchmark")
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--url", default="")
    parser.add_argument("--tenant", default="")
    parser.add_argument("--authority", default="")
    arguments = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    result = WORKS[arguments.work](arguments)
    print(json.dumps({**result, "cpu_seconds": job.cpu(), "memory_mb": highest_memory()}), flush=True)


if __name__ == "__main__":
    main()
