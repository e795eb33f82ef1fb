"""The service itself, as browsers reach it: whether what answers at `public_url` is Greenroom."""

import asyncio

from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.fetching import Page, fetch
from greenroom.doctor.findings import About
from greenroom.outside import parse_json
from greenroom.settings import Service

NAME = "service"
_OK, _MISSING = 200, 404
_REDIRECTS = range(300, 400)
WHY = "Join pages, the add-in and call-time questions of Pexip come in there."


def service_check(service: Service, needs: tuple[str, ...]) -> Check:
    """Make the check. It also looks at our own port, to tell a service that is down from a proxy that leads elsewhere."""
    about = About(NAME, service.public_url)

    async def look() -> list[Finding]:
        ours = fetch(f"http://{_here(service)}/healthz") if service.port else _nowhere()
        page, here = await asyncio.gather(fetch(f"{service.public_url}/healthz"), ours)
        if is_ours(page):
            return [about.well("Greenroom answers there.")]
        return [_judge(about, service, page, answers_here=is_ours(here))]

    return Check(NAME, service.public_url, look, needs=needs)


async def _nowhere() -> Page:
    return Page()


def is_ours(page: Page) -> bool:
    """Whether a page is what `/healthz` of a Greenroom tells, with the headers that all its answers have."""
    if page.status != _OK or page.headers.get("referrer-policy") != "no-referrer":
        return False
    try:
        return bool(parse_json(page.body) == {"status": "ok"})
    except ValueError:
        return False


def _judge(about: About, service: Service, page: Page, *, answers_here: bool) -> Finding:
    listens = f"Greenroom itself answers at {_here(service)} on this computer"
    if page.status == 0:
        what = f"{service.public_url} gives no page: {page.failure}."
    elif page.status in _REDIRECTS:
        what = f"{service.public_url} redirects to another place (HTTP {page.status})."
    elif page.status >= 500:  # noqa: PLR2004 (RFC 9110: a server's own fault)
        what = f"What stands in front of Greenroom fails (HTTP {page.status})."
    else:
        what = f"Something else than Greenroom answers at {service.public_url} (HTTP {page.status})."
    if answers_here:
        mend = f"{listens}: have the proxy in front lead {service.public_url} there, all paths, unchanged."
        return about.wrong(what, WHY, mend)
    mend = f"Start the service (greenroom serve), then have the proxy in front lead {service.public_url} to {_here(service)}."
    return about.wrong(what, WHY, mend)


def _here(service: Service) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(service.host, service.host)  # noqa: S104 (compared, not bound)
    return f"[{host}]:{service.port}" if ":" in host else f"{host}:{service.port}"
