"""Pexip Infinity in a box: a Management Node's API, a Conferencing Node that asks for policy, and people who dial.

In one process::

    pexip = Pexip(SimulatorClock(), replication=timedelta(seconds=60), policy=PolicyProfile(url, username, password))
    pexip.seed({"conference": [{"name": "Ada", "aliases": [{"alias": "ada@x.example"}]}]})     # see `seeding`
    http = httpx2.AsyncClient(transport=InProcess(pexip), base_url="http://127.0.0.1", auth=("admin", "pexip-admin"))
    pexip.conferences()                     # what is there, as the API shows it; also .conference(alias), .all(resource)
    pexip.create("conference", name="X")    # as an administrator would; also .change(address, ...), .delete(address)
    pexip.faults.add(Fault("timeout_after_commit", method="POST", resource="configuration/conference", times=1))
    pexip.calls.count("POST", "configuration/*"); pexip.calls.wipes()                           # what was asked
    pexip.options.masked_pins = True        # other ways of real platforms, see `options`
    pexip.sign_in.clients["id"] = Client(public_key_pem)                                        # OAuth 2
    report = await pexip.dial("ada@x.example", protocol="sip", pin="1234", join=True)           # see `node.Node.dial`
    pexip.hangup(report["participant"]); pexip.replicate()
    await pexip.ask("avatar", remote_alias="ada")                                               # see `questions.ask`

As a process: ``python -m greenroom.simulator.pexip --port 0`` (`server`), steered at ``/pexip/control/`` (`control`). As a part
of another application: `pexip_routes`. Facts about fields are in `fields`. Nothing here is Pexip's code.
"""

from greenroom.simulator.pexip.app import InProcess, PexipApp, create_pexip_app, pexip_routes
from greenroom.simulator.pexip.faults import Fault
from greenroom.simulator.pexip.oauth import Client, User
from greenroom.simulator.pexip.options import Options
from greenroom.simulator.pexip.platform import Pexip
from greenroom.simulator.pexip.policy import PolicyProfile
from greenroom.simulator.pexip.refusals import RefusedError

__all__ = [
    "Client",
    "Fault",
    "InProcess",
    "Options",
    "Pexip",
    "PexipApp",
    "PolicyProfile",
    "RefusedError",
    "User",
    "create_pexip_app",
    "pexip_routes",
]
