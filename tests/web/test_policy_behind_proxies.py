"""Whose word for a node's address is taken: that of the proxies in front, whichever way they come in."""

import httpx2
import pytest

from greenroom.assembly import bind, serving
from support.policy_desk import CONFIGURATION, Node, basic, caller

WITHIN, PROXY = "10.0.0.0/24", "127.0.0.1/32"


@pytest.mark.parametrize("host", ["127.0.0.1", "::"])
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("10.0.0.5", 200),
        ("10.0.0.5:4444", 200),
        ("::ffff:10.0.0.5", 200),
        ("192.0.2.1, 10.0.0.5", 200),  # the node's own claim, and what the proxy saw
        ("10.0.0.5, 192.0.2.1", 403),
        ("10.0.0.5, 127.0.0.1", 200),  # two proxies
        ("unknown", 403),
        ("", 403),
    ],
)
async def test_a_proxy_is_believed_also_on_a_listener_for_both_kinds_of_addresses(
    host: str, said: str, status: int
) -> None:
    assert await answered(host, said, PROXY) == status


async def test_a_stranger_is_not_believed() -> None:
    assert await answered("::", "10.0.0.5", "192.0.2.0/24") == 403


async def answered(host: str, said: str, proxy: str) -> int:
    """The status of an answer to somebody on this machine who says where a question came from."""
    listener = bind(host, 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/policy/v1/{CONFIGURATION}"
    app = Node(caller(networks=[WITHIN])).app
    async with serving(app, listener, proxies=[proxy]), httpx2.AsyncClient(trust_env=False) as client:
        return (await client.get(url, headers=basic() | {"X-Forwarded-For": said})).status_code
