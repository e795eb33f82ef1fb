"""A Conferencing Node: somebody dials, the policy server is asked, and if it has nothing to say, the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.pexip.caller import Caller, bare
from greenroom.simulator.pexip.policy import ask_policy
from greenroom.simulator.pexip.policy_rules import participant_problems, service_problems
from greenroom.simulator.pexip.questions import ask
from greenroom.simulator.pexip.store import same

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import httpx2

    from greenroom.simulator.pexip.platform import Pexip

SERVICE_PATH: Final = "/policy/v1/service/configuration"
PARTICIPANT_PATH: Final = "/policy/v1/participant/properties"
_NAMED: Final = ("ivr_theme", "identity_provider_group", "media_library_playlist", "system_location")


@dataclass(slots=True)
class Heard:
    """What the policy server said about a call: a service, an action, or nothing that counts."""

    asked: bool = False
    status: int | None = None
    millis: float = 0.0
    valid: bool | None = None
    action: str | None = None
    problems: list[str] = field(default_factory=list)
    kept: bool = False
    service: dict[str, Any] | None = None
    redirect: str | None = None

    def told(self) -> dict[str, Any]:
        """Of this, what a report says."""
        names = ("asked", "status", "millis", "valid", "action", "problems", "kept")
        return {name: getattr(self, name) for name in names}


class Node:
    """All Conferencing Nodes as one; what it knows of the configuration is `Store.node`."""

    def __init__(self, pexip: Pexip, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.pexip = pexip
        self.transport = transport
        self._failures: dict[str, tuple[datetime, Heard]] = {}

    async def dial(self, alias: str, **caller: Any) -> dict[str, Any]:
        """Let somebody dial an alias; ``caller`` are the fields of `caller.Caller`.

        Returns a report: ``admitted``; ``by`` ("policy", "database" or None); ``service_type``, ``name`` and ``service_tag`` of
        what the caller got to; ``role`` ("host", "guest" or None); ``pin_required``; ``waiting`` (a guest without a host);
        ``reason`` ("ok", "rejected", "redirected", "not found", "PIN required", "wrong PIN", "authentication required", "full",
        "probe"); ``redirect``; ``participant`` (an id for hanging up, when the caller was to join); ``policy``: {asked, status,
        millis, valid, action, problems, kept}.
        """
        call = Caller(alias, **caller)
        heard = await self._service(call)
        report: dict[str, Any] = {
            "admitted": False,
            "by": None,
            "service_type": None,
            "name": None,
            "service_tag": None,
            "role": None,
            "pin_required": False,
            "waiting": False,
            "reason": "not found",
            "redirect": heard.redirect,
            "participant": None,
            "policy": heard.told(),
        }
        if heard.service is None and heard.valid and heard.action in ("reject", "redirect"):
            report |= {"by": "policy", "reason": "redirected" if heard.redirect else "rejected"}
            return report
        service = heard.service or self.service_of(call.dialled)
        if service is None:
            return report
        report |= {"by": "policy" if heard.service else "database", "service_tag": service.get("service_tag")}
        report |= {"service_type": service["service_type"], "name": service["name"]}
        self._enter(call, service, report)
        if report["admitted"]:
            await self._participant(call, service, report)
        if report["admitted"] and call.join:
            role = "chair" if report["role"] == "host" else "guest"
            joined = self.pexip.running.join(
                service,
                role=role,
                alias=call.dialled,
                remote_alias=call.remote_alias,
                protocol=call.protocol,
                remote_address=call.remote_address,
            )
            report["participant"] = joined.id
        return report

    async def ask(self, kind: str, **params: Any) -> dict[str, Any]:
        """Ask the policy server one of the other questions; see `questions.ask`."""
        return await ask(self.pexip.policy, self.transport, self.names(), kind, params)

    def names(self) -> dict[str, set[str]]:
        """The names of what an answer of the policy server may name."""
        tables = self.pexip.store.node.tables
        return {name: {row["name"] for row in tables[name].rows.values()} for name in _NAMED}

    def service_of(self, alias: str) -> dict[str, Any] | None:
        """The service the database of the nodes has for an alias, in the words of policy; None if it knows none."""
        tables = self.pexip.store.node.tables
        number = tables["conference_alias"].holder("alias", bare(alias))
        if number is None:
            return None
        row = tables["conference"].rows[tables["conference_alias"].rows[number]["conference"]]
        kept = ("name", "service_type", "description", "pin", "guest_pin", "allow_guests", "non_idp_participants")
        service = {name: row[name] for name in (*kept, "participant_limit")} | {"service_tag": row["tag"]}
        for name in ("host_identity_provider_group", "guest_identity_provider_group"):
            if row[name] is not None:
                service[name] = tables["identity_provider_group"].rows[row[name]]["name"]
        return service

    async def _service(self, call: Caller) -> Heard:
        profile = self.pexip.policy
        if profile.url is None or not profile.enable_service_lookup:
            return Heard()
        now = self.pexip.clock()
        until, failure = self._failures.get(same(call.dialled), (now, None))
        if failure is not None and until > now:
            return failure
        asked = await ask_policy(profile, SERVICE_PATH, call.about(), self.transport)
        heard = Heard(True, asked.status, asked.millis, False, None, asked.problems)
        if asked.answer is not None and not asked.problems:
            self._understand(asked.answer, heard)
        if not heard.valid and profile.failures_kept:
            kept = Heard(False, heard.status, 0.0, False, None, heard.problems, kept=True)
            self._failures[same(call.dialled)] = (now + timedelta(seconds=profile.failures_kept), kept)
        return heard

    def _understand(self, answer: Mapping[str, Any], heard: Heard) -> None:
        """Read an answer whose status is success. Valid data in "result" count whatever the "action" is."""
        action, result = answer.get("action"), answer.get("result")
        heard.action = action if isinstance(action, str) else None
        if action not in (None, "continue", "reject", "redirect"):
            heard.problems.append("action has a value that does not exist")
        elif result is not None and not isinstance(result, dict):
            heard.problems.append("result is not an object")
        elif action == "redirect":
            alias = (result or {}).get("new_alias")
            if isinstance(alias, str) and alias and set(result or {}) == {"new_alias"}:
                heard.redirect = alias
            else:
                heard.problems.append("result is not an object of new_alias")
        elif result:
            heard.problems += service_problems(result, self.names())
            heard.service = None if heard.problems else result
        heard.valid = not heard.problems

    def _enter(self, call: Caller, service: Mapping[str, Any], report: dict[str, Any]) -> None:
        if call.call_direction == "non_dial":
            report["reason"] = "probe"
            return
        role = self._role(call, service, report)
        if role is None:
            return
        if not self._trusted(call, service, role):
            report["reason"] = "authentication required"
            return
        running = self.pexip.running.conferences.get(service["name"])
        inside = len(running.participants) if running else 0
        limit = service.get("participant_limit")
        if limit is not None and inside >= limit:
            report["reason"] = "full"
            return
        started = running is not None and running.started
        guests = bool(service.get("allow_guests")) or service.get("locked", False)
        report |= {
            "admitted": True,
            "role": role,
            "reason": "ok",
            "waiting": role == "guest" and guests and not started,
        }

    @staticmethod
    def _role(call: Caller, service: Mapping[str, Any], report: dict[str, Any]) -> str | None:
        pin, guest_pin = service.get("pin") or None, service.get("guest_pin") or None
        guests = bool(service.get("allow_guests"))
        given = call.pin.removesuffix("#") if call.pin else None
        if pin is None:
            return "host"
        if given == pin.removesuffix("#"):
            return "host"
        if guests and (given == guest_pin.removesuffix("#") if guest_pin and given else not guest_pin and not given):
            return "guest"
        report["pin_required"] = True
        report["reason"] = "wrong PIN" if given else "PIN required"
        return None

    @staticmethod
    def _trusted(call: Caller, service: Mapping[str, Any], role: str) -> bool:
        if call.idp or not service.get(f"{role}_identity_provider_group"):
            return True
        device = call.protocol not in ("webrtc", "api")
        return device and call.registered and service.get("non_idp_participants") == "allow_if_trusted"

    async def _participant(self, call: Caller, service: Mapping[str, Any], report: dict[str, Any]) -> None:
        profile = self.pexip.policy
        if profile.url is None or not profile.enable_participant_lookup:
            return
        about = call.about() | {
            "participant_type": "standard",
            "participant_uuid": call.id,
            "call_uuid": call.id,
            "preauthenticated_role": "chair" if report["role"] == "host" else "guest",
            "receive_from_audio_mix": "main",
            "bypass_lock": "False",
            "service_name": service["name"],
            "unique_service_name": service["name"],
            "service_tag": service.get("service_tag") or "",
        }
        asked = await ask_policy(profile, PARTICIPANT_PATH, about, self.transport)
        answer = asked.answer or {}
        result = answer.get("result") or {}
        problems = asked.problems or participant_problems(result)
        report["participant_policy"] = {"status": asked.status, "valid": not problems, "problems": problems}
        if problems:
            return
        if not result and answer.get("action") == "reject":
            report |= {"admitted": False, "role": None, "reason": "rejected"}
        role = result.get("preauthenticated_role")
        if role is not None:
            report["role"] = "host" if role == "chair" else "guest"
