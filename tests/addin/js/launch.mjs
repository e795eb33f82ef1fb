// The check when a meeting is sent, run as some clients run it: no page, no network, nothing but Office and the line of the server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import vm from "node:vm";

import { MAILBOX, reservation, ticket } from "./desk.mjs";
import { fact, report } from "./facts.mjs";
import { fakeOutlook } from "./fake_office.mjs";

const SCRIPT = readFileSync(new URL("../../../src/greenroom/addin/static/js/launchevent.js", import.meta.url), "utf8");
const TEXTS = { en: { "send.mailboxMissing": "Invite {mailbox}." }, de: { "send.mailboxMissing": "Laden Sie {mailbox} ein." }, no: { "send.mailboxMissing": "Inviter {mailbox}." }, "pt-BR": { "send.mailboxMissing": "Convide {mailbox}." } };

async function send(options, { prefix = "GRM", language = "en-US", texts = TEXTS, noTimer = true } = {}) {
  const { Office, state } = fakeOutlook({ set: "1.14", ...options });
  Office.context.displayLanguage = language;
  const associated = {};
  Office.actions = { associate: (name, run) => void (associated[name] = run) };
  const scope = vm.createContext({ Office, ...(noTimer ? {} : { setTimeout: (run) => setTimeout(run, 5) }) }, { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(`var GREENROOM = ${JSON.stringify({ prefix, mailbox: MAILBOX, texts })};\n${SCRIPT}`, scope);
  assert.deepEqual(Object.keys(associated), ["onSend"]);
  const answers = [];
  associated.onSend({ completed: (answer) => void answers.push({ ...answer }) });
  for (let turn = 0; turn < 5000 && answers.length === 0; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve)); // a second answer would be a fault
  return { answers, state };
}

const body = (kind = "vmr") => `<html><body><p>Agenda</p>${reservation(5, kind).html}</body></html>`;
const ALLOWED = [{ allowEvent: true }];
const ours = [{ displayName: MAILBOX.name, emailAddress: MAILBOX.address.toUpperCase() }];

fact("a meeting without a room goes", async () => {
  const { answers, state } = await send({});
  assert.deepEqual(answers, ALLOWED);
  assert.deepEqual(state.calls, ["body.getAsync"]);
});

fact("a meeting with a room and its mailbox goes", async () => {
  for (const field of ["required", "optional"]) {
    const { answers, state } = await send({ body: body(), [field]: ours });
    assert.deepEqual(answers, ALLOWED);
    assert.ok(!state.calls.some((name) => /addAsync|setAsync/.test(name)));
  }
});

fact("a mailbox that was lost is invited again", async () => {
  for (const kind of ["vmr", "offline"]) {
    const { answers, state } = await send({ body: body(kind) });
    assert.deepEqual(answers, ALLOWED);
    assert.deepEqual(state.required, [{ displayName: MAILBOX.name, emailAddress: MAILBOX.address }]);
  }
});

fact("where inviting does not work the person is told in their language", async () => {
  const named = `${MAILBOX.name} (${MAILBOX.address})`;
  const cases = [["nb-NO", `Inviter ${named}.`], ["pt-BR", `Convide ${named}.`], ["en-US", `Invite ${named}.`], ["de-AT", `Laden Sie ${named} ein.`], ["fi-FI", `Invite ${named}.`]];
  for (const [language, text] of cases) {
    const { answers } = await send({ body: body(), takesObjects: false }, { language });
    assert.deepEqual(answers, [{ allowEvent: false, errorMessage: text }]);
  }
  const { answers } = await send({ body: body(), faults: { "requiredAttendees.addAsync": "throw" } }, { texts: { en: { "send.mailboxMissing": "x".repeat(900) } } });
  assert.equal(answers[0].errorMessage.length, 500);
  assert.equal((await send({ body: body(), takesObjects: false }, { texts: {} })).answers[0].allowEvent, false);
});

fact("a room of one's own needs no mailbox", async () => {
  const { answers, state } = await send({ body: body("personal") });
  assert.deepEqual(answers, ALLOWED);
  assert.deepEqual(state.required, []);
});

fact("a ticket that a mail client has torn apart is still seen", async () => {
  const one = ticket(5);
  const torn = [one.toLowerCase(), one.replaceAll("-", "\u2011"), one.replaceAll("-", "-\u200b"), one.replaceAll("-", "\r\n- "), one.replace("0000", "oOoO")];
  for (const text of torn) {
    assert.equal((await send({ body: `<p>${text}</p>` })).state.required.length, 1, text);
  }
  for (const text of ["GRM-20006", "GRM and nothing", one.replace("GRM-2", "GRM-9"), ""]) {
    assert.deepEqual((await send({ body: `<p>${text}</p>` })).state.required, [], text);
  }
});

fact("whatever goes wrong lets the meeting go", async () => {
  const names = ["body.getAsync", "requiredAttendees.getAsync", "optionalAttendees.getAsync"];
  for (const name of names) {
    for (const mode of ["throw", "fail", "ignore"]) {
      const { answers } = await send({ body: body(), faults: { [name]: mode } });
      assert.deepEqual(answers, ALLOWED, `${name} ${mode}`);
    }
    const { answers } = await send({ body: body(), faults: { [name]: "never" } }, { noTimer: false });
    assert.deepEqual(answers, ALLOWED, `${name} never`);
  }
  assert.deepEqual((await send({ body: body(), hasAttendees: false })).answers, ALLOWED);
  assert.deepEqual((await send({ itemType: "none" })).answers, ALLOWED);
});

fact("a long text takes no time", async () => {
  const start = Date.now();
  await send({ body: "GRM-2".repeat(100_000) });
  await send({ body: `GRM-${"2 ".repeat(200_000)}` });
  await send({ body: `GRM-2${"-".repeat(200_000)}` });
  assert.ok(Date.now() - start < 10_000);
});

await report();
