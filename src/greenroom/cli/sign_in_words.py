"""How service accounts that sign in by hand stand, in words: for `greenroom signin --status` and `greenroom status`."""

from dataclasses import dataclass
from typing import Any

from greenroom.assembly import Side
from greenroom.calendars import SIDES
from greenroom.cli.reading import local, stamp
from greenroom.settings import Integration
from greenroom.sign_ins import Seal, is_service_account, problem_of
from greenroom.storage import Work
from greenroom.storage.sign_ins import StoredSignIn

_PROBLEMS = {
    "not-signed-in": "nobody has signed in yet",
    "sign-in-sealed": "what was kept cannot be opened with the ticket keys of the configuration",
    "other-application": "signed in for another application, tenant or resource than the configuration names",
    "sign-in-lost": "the sign-in does not hold any more",
}


@dataclass(frozen=True, slots=True)
class SignInStanding:
    """One service account: what is kept of it, and a word for what is wrong (empty: nothing)."""

    integration: Integration
    side: Side
    stored: StoredSignIn | None
    problem: str

    @property
    def step(self) -> str:
        """What to do."""
        return f"greenroom signin --integration {self.integration.name} --side {self.side}"

    @property
    def words(self) -> str:
        """Say how it stands."""
        account = "" if self.stored is None else self.stored.account
        if self.stored is None or self.problem:
            what = _PROBLEMS[self.problem]
            if self.stored is not None and self.stored.refused_at is not None and self.problem == "sign-in-lost":
                what = f"{what}: refused {local(self.stored.refused_at)}"
            return f"{account + ', ' if account else ''}{what}; run `{self.step}`"
        return f"{account}, since {local(self.stored.signed_in_at)}, renewed {local(self.stored.renewed_at)}"

    def as_json(self) -> dict[str, Any]:
        """Write it for `--json`; nothing of a token."""
        stored = self.stored
        return {
            "integration": self.integration.name,
            "side": self.side,
            "ok": not self.problem,
            "account": None if stored is None else stored.account,
            "signed_in_at": stamp(None if stored is None else stored.signed_in_at),
            "renewed_at": stamp(None if stored is None else stored.renewed_at),
            "refused_at": stamp(None if stored is None else stored.refused_at),
            "problem": self.problem or None,
            "next": f"Run `{self.step}`." if self.problem else None,
        }


def sides_of(entry: Integration) -> list[Side]:
    """Return the sides of an integration for which somebody signs in by hand."""
    return [side for side in SIDES if is_service_account(entry, side)]


async def sign_ins_of(work: Work, entry: Integration) -> list[SignInStanding]:
    """Return how the service accounts of an integration stand."""
    found = []
    for side in sides_of(entry):
        stored = await work.sign_ins.get(entry.number, side)
        found.append(SignInStanding(entry, side, stored, problem_of(Seal(entry, side), stored)))
    return found


def rows_of(found: list[SignInStanding]) -> list[tuple[str, str, str]]:
    """Return lines for `greenroom status`: none where nobody signs in by hand."""
    names = {"exchange": "signs in as", "organizers": "elsewhere as"}
    return [(names[one.side], one.words, "red" if one.problem else "") for one in found]
