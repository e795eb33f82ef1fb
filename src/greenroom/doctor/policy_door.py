"""Whether Pexip's Conferencing Nodes would be answered: one question of our own at the address they use, with their credential.

The question (`registrations`) is about no alias: it counts as no guess, and tells nothing of any meeting.
"""

from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.fetching import Page, fetch
from greenroom.doctor.findings import About
from greenroom.settings import Integration
from greenroom.settings.pexip import PexipPolicy

NAME = "policy"
QUESTION = "/policy/v1/registrations"
_OK, _WHO, _FORBIDDEN, _MISSING, _TOO_MANY = 200, 401, 403, 404, 429
_SLOW = 2.0
WHY = "Conferencing Nodes ask there at every call; without an answer people wait 5 seconds and are not let in."


def policy_check(entry: Integration, policy: PexipPolicy, public_url: str, needs: tuple[str, ...]) -> Check:
    """Make the check where questions come in at `public_url`."""
    about = About(NAME, entry.name)
    where = f"integration[{entry.name}].pexip.policy"

    async def look() -> list[Finding]:
        password = "" if policy.password is None else policy.password.get_secret_value()
        page = await fetch(f"{public_url}{QUESTION}", credentials=(policy.username, password))
        return [judge(about, page, public_url, where)]

    return Check(NAME, entry.name, look, needs=needs)


def judge(about: About, page: Page, address: str, where: str) -> Finding:
    """Say what an answer means to a node."""
    if page.status == _OK and b'"status"' in page.body:
        if page.seconds > _SLOW:
            mend = "See the load of this computer, and of the proxy in front."
            return about.note(f"Questions are answered, but only after {page.seconds:.1f} s.", WHY, mend)
        return about.well("Questions with the nodes' credential are answered.")
    if page.status in {_FORBIDDEN, _TOO_MANY}:
        return _shut(about, page, where)
    said = f"HTTP {page.status}" if page.status else page.failure
    what = f"A question at {address} is not answered ({said})."
    mend = "Start the service, or correct what stands in front of it; Pexip follows no redirect."
    if page.status == _WHO:
        what = "The running service does not take the user name and password of the configuration."
        mend = f"Restart the service, so that it reads {where} again; put the same into Pexip's policy profile."
    elif page.status == _MISSING:
        what = f"There is no policy server at {address}{QUESTION}."
        mend = "Restart the service, and have the proxy in front pass /policy/ on, unchanged."
    return about.wrong(what, WHY, mend)


def _shut(about: About, page: Page, where: str) -> Finding:
    if page.status == _TOO_MANY:
        return about.note("The door is shut for a while: somebody sent wrong passwords.", WHY, "greenroom status")
    what = f"The door is there; this computer's address is not in {where}.networks, so more cannot be tried from here."
    mend = "Ask from a Conferencing Node's network, or see the alarms while somebody dials: greenroom status"
    return about.note(what, WHY, mend)
