"""Keeping a subscription's requests on the server that holds it.

Source: "How to maintain affinity between a group of subscriptions and the Mailbox server" of the EWS documentation.
"""

import re

_COOKIE = re.compile(r"\s*X-BackEndOverrideCookie=([!-:<-~]{1,2000})", re.IGNORECASE)


class Affinity:
    """The cookie of one subscription: asked for by a header, learnt from the first answer, sent with every later request."""

    def __init__(self) -> None:
        self._cookie: str | None = None

    def headers(self) -> dict[str, str]:
        """Headers for a request of this subscription."""
        found = {"X-PreferServerAffinity": "true"}
        if self._cookie:
            found["Cookie"] = f"X-BackEndOverrideCookie={self._cookie}"
        return found

    def learn(self, set_cookies: list[str]) -> None:
        """Take the cookie from an answer's Set-Cookie headers."""
        for line in set_cookies:
            if match := _COOKIE.match(line):
                self._cookie = match[1]
