"""Fetches single pages for checks: bounded, without redirects, cookies and proxies; says why where there is no answer."""

import asyncio
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from greenroom.doctor.blocking import in_thread
from greenroom.doctor.way import trusted

_PATIENCE = 6.0
_LONGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """What came back. `status` is 0 where nothing did; `failure` says in a few words why."""

    status: int = 0
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)
    body: bytes = field(default=b"", repr=False)
    failure: str = ""
    seconds: float = 0.0


async def fetch(url: str, *, credentials: tuple[str, str] | None = None, patience: float = _PATIENCE) -> Page:
    """Fetch a page of our own: at `public_url` or at the listener on this computer. Raises nothing."""
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(patience):
            trust = await in_thread(lambda: trusted(None))
            async with httpx2.AsyncClient(
                verify=trust,
                timeout=httpx2.Timeout(patience),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=False,
            ) as client:
                headers = {"User-Agent": "Greenroom-Doctor", "Accept-Encoding": "identity"}
                auth = httpx2.BasicAuth(*credentials) if credentials is not None else None
                async with client.stream("GET", url, headers=headers, auth=auth) as response:
                    body = bytearray()
                    async for part in response.aiter_raw():
                        body += part
                        if len(body) > _LONGEST:
                            return Page(response.status_code, response.headers, failure="it is too long")
                    took = asyncio.get_running_loop().time() - began
                    return Page(response.status_code, response.headers, bytes(body), seconds=took)
    except (TimeoutError, httpx2.TimeoutException):
        return Page(failure="there is no answer in time")
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        refused = isinstance(error, httpx2.ConnectError)
        return Page(failure="nothing can be reached there" if refused else "the connection breaks")
