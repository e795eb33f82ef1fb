// Every call of Outlook fails once, in every way, in every generation: nothing of the person's is lost, and trying again ends well.

import assert from "node:assert/strict";

import { locateTickets } from "../../../src/greenroom/addin/static/js/meeting.js";
import { MAILBOX, desk } from "./desk.mjs";
import { fact, report } from "./facts.mjs";

const AGENDA = "<html><body><p>Agenda</p></body></html>";
const TEXT = "Agenda\n";
const BOB = { displayName: "Bob", emailAddress: "bob@example.org" };
const MODES = ["throw", "fail", "never", "late", "ignore"];
const AT_ONCE = 24;

function meeting(set, type, more = {}) {
  const body = type === "text" ? TEXT : AGENDA;
  const shared = set === "1.14" ? { shared: "ann@example.org" } : {};
  return desk({ set, type, body, required: [BOB], location: "Room 5", listsOrganizer: set === "1.3", ...shared, ...more });
}

/** The numbers of the calls that a piece of work makes when nothing fails. */
async function callsOf(set, type, prepare, work) {
  const here = meeting(set, type);
  await prepare(here);
  const before = here.state.calls.length;
  await work(here);
  return { before, count: here.state.calls.length - before, names: here.state.calls };
}

async function struck(set, type, prepare, work, judge) {
  const { before, count, names } = await callsOf(set, type, prepare, work);
  assert.ok(count > 8, "the work calls Outlook");
  const cases = Array.from({ length: count }, (_, i) => MODES.map((mode) => ({ index: before + i, mode }))).flat();
  const strike = async ({ index, mode }) => {
    const here = meeting(set, type);
    await prepare(here);
    here.state.faultAt = { index, mode };
    try {
      await judge(here, await work(here));
    } catch (error) {
      throw new Error(`${set} ${type}: ${names[index]} (${index}) ${mode}: ${error.stack}\n${here.state.calls.slice(before).join(" ")}`);
    }
  };
  while (cases.length > 0) await Promise.all(cases.splice(0, AT_ONCE).map(strike));
}

function untouched({ state }, type) {
  assert.ok(state.body.includes("Agenda"));
  assert.deepEqual(state.required.filter((one) => one.emailAddress !== MAILBOX.address), [BOB]);
  assert.match(state.location, /^Room 5(; |$)/);
  assert.ok(!state.calls.includes("saveAsync"));
  const rest = state.body.replace(type === "text" ? /\n\n_{64}[^]*_{64}\n/ : /<br>\r\n<table[^]*<\/table>\r\n/, "");
  assert.equal(rest, type === "text" ? TEXT : AGENDA);
}

for (const [set, type] of [["1.3", "html"], ["1.5", "text"], ["1.8", "html"], ["1.14", "html"]]) {
  fact(`adding survives every fault (Mailbox ${set})`, () =>
    struck(set, type, async () => undefined, ({ flow }) => flow.add({ kind: "vmr" }), async (here, outcome) => {
      untouched(here, type);
      if (!outcome.ok) assert.equal(outcome.error.code, "error.outlookFailed");
      const again = await here.flow.add({ kind: "vmr" });
      assert.ok(again.ok, JSON.stringify(again));
      untouched(here, type);
      const { state, server } = here;
      const given = [...server.byRequest.values()];
      assert.equal(given.length, 1, "one room for one meeting");
      assert.equal(locateTickets(state.body, "GRM").length, 1, "one block");
      assert.ok(state.body.includes(given[0].ticket));
      assert.equal(state.required.filter((one) => one.emailAddress === MAILBOX.address).length, 1);
      assert.equal(state.location, `Room 5; ${given[0].location}`);
    }));

  fact(`removing survives every fault (Mailbox ${set})`, () =>
    struck(set, type, ({ flow }) => flow.add({ kind: "vmr" }), ({ flow }) => flow.remove(), async (here, outcome) => {
      untouched(here, type);
      const { state, server, flow } = here;
      const [given] = [...server.byRequest.values()];
      const again = outcome.ok && outcome.warnings.length === 0 ? outcome : await flow.remove();
      assert.ok(again.ok, JSON.stringify(again));
      assert.equal(state.body, type === "text" ? TEXT : AGENDA);
      assert.deepEqual(state.required, [BOB]);
      assert.deepEqual(again.warnings, []);
      assert.equal(state.location, "Room 5");
      assert.ok(server.released.includes(given.ticket));
    }));
}

await report();
