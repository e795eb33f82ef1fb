import assert from "node:assert/strict";

import { Fault } from "../../../src/greenroom/addin/static/js/fault.js";
import { MAILBOX, NOW, desk, reservation, ticket } from "./desk.mjs";
import { fact, report } from "./facts.mjs";

const AGENDA = "<html><body><p>Agenda</p></body></html>";
const SETS = ["1.3", "1.5", "1.8", "1.14"];
const noted = (state) => (state.properties.greenroom ? JSON.parse(state.properties.greenroom) : null);
const isInvited = (state) => [...state.required, ...state.optional].some((one) => one.emailAddress === MAILBOX.address);

/** A meeting that has a room, as if it had been opened again. */
function withRoom(number, kind = "vmr", options = {}) {
  const one = reservation(number, kind);
  const here = desk({ body: `<html><body><p>Agenda</p><br>\r\n${one.html}\r\n</body></html>`, id: "AAMk", ...options });
  here.server.known.set(one.ticket, one);
  if (kind !== "personal" && !options.required) here.state.required.push({ displayName: MAILBOX.name, emailAddress: MAILBOX.address });
  if (options.location === undefined) here.state.location = one.location;
  here.state.properties = options.properties ?? { greenroom: JSON.stringify({ ticket: one.ticket, kind, location: one.location }) };
  return { ...here, one };
}

fact("a room comes into a meeting in every generation of Outlook", async () => {
  for (const set of SETS) {
    const { flow, state, server } = desk({ set, required: [{ displayName: "Bob", emailAddress: "bob@example.org" }] });
    const steps = [];
    const outcome = await flow.add({ kind: "vmr", onStep: (step) => steps.push(step) });
    assert.deepEqual([outcome.ok, outcome.state, outcome.warnings], [true, "added", []], set);
    assert.ok(state.body.startsWith("<html><body><p>Agenda</p><br>\r\n<table"), state.body);
    assert.ok(isInvited(state) && state.required.length === 2);
    assert.equal(state.location, outcome.reservation.location);
    assert.deepEqual(noted(state), { ticket: outcome.reservation.ticket, kind: "vmr", location: outcome.reservation.location });
    assert.deepEqual(steps, ["guard", "look", "token", "reserve", "invite", "text", "location", "property"]);
    assert.equal(state.written.length, 1);
    assert.equal(state.mostBusy, 1, "one call at a time");
    assert.equal(server.byRequest.size, 1);
    assert.equal((await flow.inspect()).state, "present");
  }
});

fact("nothing of the meeting is told to the server but hints", async () => {
  const { flow, server } = desk({ set: "1.8", shared: "boss@example.org", series: { recurrenceType: "weekly" } });
  await flow.add({ kind: "vmr" });
  const [, request] = server.asked.find(([name]) => name === "reserve");
  assert.deepEqual(Object.keys(request).sort(), ["client", "delegate", "requestId", "series"]);
  assert.deepEqual([request.delegate, request.series, request.client.set], [true, true, "1.8"]);
});

fact("adding again changes nothing and asks for no second room", async () => {
  for (const set of SETS) {
    const { flow, state, server } = desk({ set });
    await flow.add({ kind: "vmr" });
    const before = { ...state, body: state.body };
    const outcome = await flow.add({ kind: "vmr" });
    assert.deepEqual([outcome.state, outcome.warnings], ["already", []], set);
    assert.equal(state.body, before.body);
    assert.equal(server.byRequest.size, 1);
    assert.equal(state.written.length, 1);
  }
});

fact("a double click does the work once", async () => {
  const { flow, server, state } = desk();
  const outcomes = await Promise.all([flow.add({ kind: "vmr" }), flow.add({ kind: "vmr" })]);
  assert.deepEqual(outcomes.map((one) => one.state), ["added", "already"]);
  assert.equal(server.byRequest.size, 1);
  assert.equal(state.written.length, 1);
});

fact("adding again repairs what is missing", async () => {
  const { flow, state, server } = withRoom(7, "vmr", { required: [{ displayName: "Bob", emailAddress: "bob@example.org" }], location: "" });
  assert.deepEqual((await flow.inspect()).missing, ["mailbox", "location"]);
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.state, outcome.warnings], ["repaired", []]);
  assert.ok(isInvited(state));
  assert.equal(state.location, "https://meet.example.org/j/7");
  assert.equal(state.written.length, 0);
  assert.equal(server.byRequest.size, 0);
});

fact("texts that were changed at the server are refreshed in their place", async () => {
  const { flow, state, server, one } = withRoom(7, "vmr", { set: "1.5" });
  state.body = state.body.replace("</body>", "<p>Behind</p></body>");
  server.known.set(one.ticket, { ...one, html: one.html.replace("Video meeting", "Videokonferenz") });
  const outcome = await flow.add({ kind: "vmr" });
  assert.equal(outcome.state, "repaired");
  assert.match(state.body, /Agenda<\/p><br>\r\n<table[^]*Videokonferenz[^]*<\/table>\r\n<p>Behind<\/p><\/body>/);
});

fact("a text body gets the text", async () => {
  const { flow, state } = desk({ type: "text", body: "Agenda\n1. Things", set: "1.5" });
  const outcome = await flow.add({ kind: "vmr" });
  assert.equal(outcome.state, "added");
  assert.equal(state.body, `Agenda\n1. Things\n\n${outcome.reservation.text}\n`);
  assert.equal((await flow.remove()).state, "removed");
  assert.equal(state.body, "Agenda\n1. Things");
});

fact("a block goes to the top where the configuration says so", async () => {
  const { flow, state } = desk({}, { config: { place: "top" } });
  await flow.add({ kind: "vmr" });
  assert.match(state.body, /^<html><body><table/);
  await flow.remove();
  assert.equal(state.body, AGENDA);
});

fact("what came in goes out again, and nothing else", async () => {
  for (const set of SETS) {
    const people = [{ displayName: "Bob", emailAddress: "bob@example.org" }];
    const { flow, state, server } = desk({ set, required: [...people], location: "Room 5" });
    const { reservation: given } = await flow.add({ kind: "vmr" });
    assert.ok(state.location.includes(given.location));
    const outcome = await flow.remove();
    assert.deepEqual([outcome.ok, outcome.state, outcome.warnings], [true, "removed", []], set);
    assert.equal(state.body, AGENDA);
    assert.equal(state.location, "Room 5");
    assert.deepEqual(state.required, people);
    assert.equal(noted(state), null);
    assert.deepEqual(server.released, [given.ticket]);
    assert.equal((await flow.inspect()).state, "none");
  }
});

fact("the location goes out also where our note on the meeting has vanished", async () => {
  const { flow, state } = withRoom(7, "vmr", { set: "1.5", properties: {}, location: "Room 5; https://meet.example.org/j/7; Berlin" });
  await flow.remove();
  assert.equal(state.location, "Room 5; Berlin");
});

fact("a room that cannot be given back is a warning and no more", async () => {
  const { flow, server, state } = desk();
  await flow.add({ kind: "vmr" });
  server.releaseFails = true;
  const outcome = await flow.remove();
  assert.deepEqual([outcome.ok, outcome.warnings], [true, ["warning.notReleased"]]);
  assert.equal(state.body, AGENDA);
});

fact("an attendee who is there already is not invited twice", async () => {
  for (const field of ["required", "optional"]) {
    const { flow, state } = desk({ [field]: [{ displayName: "V", emailAddress: "VIDEO@example.org" }] });
    assert.equal((await flow.add({ kind: "vmr" })).state, "added");
    assert.ok(!state.calls.some((name) => /attendees\.(add|set)/i.test(name)));
  }
});

fact("an Outlook that ignores people given as objects gets the bare address", async () => {
  const { flow, state } = desk({ takesObjects: false });
  assert.deepEqual((await flow.add({ kind: "vmr" })).warnings, []);
  assert.ok(isInvited(state));
});

fact("an Outlook that adds nobody gets all attendees anew, without the organizer", async () => {
  const bob = { displayName: "Bob", emailAddress: "bob@example.org" };
  for (const options of [{ set: "1.8" }, { set: "1.5", tellsOrganizer: false }]) {
    const { flow, state } = desk({ takesObjects: false, takesStrings: false, listsOrganizer: true, required: [bob], ...options });
    assert.deepEqual((await flow.add({ kind: "vmr" })).warnings, []);
    assert.deepEqual(state.required, [bob, { displayName: MAILBOX.name, emailAddress: MAILBOX.address }]);
  }
});

fact("attendees are not written anew where somebody among them has no address", async () => {
  const group = { displayName: "A group", emailAddress: "" };
  const { flow, state } = desk({ takesObjects: false, takesStrings: false, required: [group] });
  assert.deepEqual((await flow.add({ kind: "vmr" })).warnings, ["warning.addMailboxYourself"]);
  assert.deepEqual(state.required, [group]);
  assert.ok(!state.calls.includes("requiredAttendees.setAsync"));
});

fact("an address that Outlook drops silently is asked of the person", async () => {
  const { flow, state } = desk({ takesObjects: false, takesStrings: false, faults: { "requiredAttendees.setAsync": "ignore" } });
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.state, outcome.warnings], [true, "added", ["warning.addMailboxYourself"]]);
  assert.ok(state.body.includes(outcome.reservation.ticket));
});

fact("a meeting made from a message has no attendees and no location to write to", async () => {
  const { flow, state } = desk({ hasAttendees: false, hasLocation: false, set: "1.5" });
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.warnings], [true, ["warning.attendeesUnavailable", "warning.locationUnavailable"]]);
  assert.ok(state.body.includes(outcome.reservation.ticket));
  assert.equal((await flow.inspect()).state, "present");
  assert.equal((await flow.remove()).ok, true);
  assert.equal(state.body, AGENDA);
});

fact("a long location stays as it is", async () => {
  for (const set of ["1.5", "1.8"]) {
    const location = "Room ".repeat(49).trim();
    const { flow, state } = desk({ set, location });
    const outcome = await flow.add({ kind: "vmr" });
    assert.deepEqual([outcome.ok, outcome.warnings], [true, ["warning.locationTooLong"]], set);
    assert.equal(state.location, location);
    assert.deepEqual((await flow.inspect()).missing, [], "what does not fit is not missing");
  }
});

fact("rooms in the location stay rooms", async () => {
  const room = { locationIdentifier: { id: "r@example.org", type: "room" }, displayName: "Room 5", emailAddress: "r@example.org" };
  const { flow, state } = desk({ set: "1.8", places: [room] });
  const { reservation: given } = await flow.add({ kind: "vmr" });
  assert.deepEqual(state.places.map((one) => one.displayName), ["Room 5", given.location]);
  await flow.remove();
  assert.deepEqual(state.places, [room]);
  assert.ok(!state.calls.includes("location.setAsync"));
});

fact("an Exchange Server behind a newer Outlook gets the location as one text", async () => {
  const { flow, state } = desk({ set: "1.8", brokenPlaces: true, location: "Room 5" });
  const { reservation: given, warnings } = await flow.add({ kind: "vmr" });
  assert.deepEqual(warnings, []);
  assert.equal(state.location, `Room 5; ${given.location}`);
});

fact("a copied meeting gets a room of its own, and the other keeps its own", async () => {
  const { flow, state, server, one } = withRoom(7, "vmr", { id: null, properties: {} });
  server.claimed.add(one.ticket);
  assert.equal((await flow.inspect()).state, "copied");
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.state], [true, "replaced"]);
  assert.ok(!state.body.includes(one.ticket) && state.body.includes(outcome.reservation.ticket));
  assert.equal(state.location, outcome.reservation.location);
  assert.deepEqual(server.released, []);
});

fact("a copy is known in an older Outlook by what the server says", async () => {
  const { flow, state, server, one } = withRoom(7, "vmr", { set: "1.5", properties: {} });
  server.claimed.add(one.ticket);
  const outcome = await flow.add({ kind: "vmr" });
  assert.equal(outcome.state, "replaced");
  assert.ok(!state.body.includes(one.ticket));
});

fact("a copy that brought our note along is known when it is new and its room is taken", async () => {
  const { flow, server, one } = withRoom(7, "vmr", { id: null });
  server.claimed.add(one.ticket);
  assert.equal((await flow.add({ kind: "vmr" })).state, "replaced");
});

fact("a meeting that Outlook knows keeps its room, though our note on it has vanished", async () => {
  const { flow, server, one, state } = withRoom(7, "vmr", { id: "AAMk", properties: {} });
  server.claimed.add(one.ticket);
  assert.equal((await flow.inspect()).state, "present");
  assert.equal((await flow.add({ kind: "vmr" })).state, "already");
  assert.ok(state.body.includes(one.ticket));
});

fact("a room that the service gave to a meeting without us keeps its place where Outlook does not tell what is new", async () => {
  const other = JSON.stringify({ ticket: ticket(6), kind: "vmr", location: "" });
  for (const properties of [{}, { greenroom: other }]) {
    const { flow, state, server, one } = withRoom(7, "vmr", { set: "1.5", properties });
    server.known.set(one.ticket, { ...one, asked: false });
    server.claimed.add(one.ticket);
    assert.equal((await flow.inspect()).state, "present");
    assert.equal((await flow.add({ kind: "vmr" })).state, "already");
    assert.ok(state.body.includes(one.ticket));
    assert.equal(server.byRequest.size, 0);
  }
});

fact("a promise that the service has kept is no copy", async () => {
  const properties = { greenroom: JSON.stringify({ ticket: ticket(900, "offline"), kind: "offline" }) };
  const { flow, server, one } = withRoom(7, "vmr", { set: "1.5", properties });
  server.claimed.add(one.ticket);
  assert.equal((await flow.add({ kind: "vmr" })).state, "already");
});

fact("the room that was just put in is no copy, though Outlook forgot our note", async () => {
  const { flow, state, server } = desk({ set: "1.8" });
  await flow.add({ kind: "vmr" });
  state.properties = {};
  assert.equal((await flow.inspect()).state, "present");
  assert.equal((await flow.add({ kind: "vmr" })).state, "already");
  assert.equal(server.byRequest.size, 1);
});

fact("removing a copy does not give back the room of the other meeting", async () => {
  const { flow, state, server } = withRoom(7, "vmr", { id: null, properties: {} });
  assert.equal((await flow.remove()).ok, true);
  assert.equal(state.body, AGENDA);
  assert.deepEqual(server.released, []);
});

fact("a room that is gone is replaced by another", async () => {
  for (const reason of ["released", "deleted", "invalid"]) {
    const { flow, state, server, one } = withRoom(7);
    server.gone[one.ticket] = reason;
    assert.equal((await flow.add({ kind: "vmr" })).state, "replaced", reason);
    assert.ok(!state.body.includes(one.ticket));
    assert.equal(server.byRequest.size, 1);
  }
});

fact("a delegate does not exchange the room of a meeting that exists", async () => {
  const { flow, state, server, one } = withRoom(7, "vmr", { shared: "boss@example.org", required: [] });
  server.gone[one.ticket] = "taken";
  const status = await flow.inspect();
  assert.deepEqual([status.isDelegate, status.state], [true, "incomplete"]);
  assert.equal((await flow.add({ kind: "vmr" })).state, "repaired");
  assert.ok(isInvited(state));
  assert.equal(server.byRequest.size, 0);
});

fact("in somebody else's calendar the owner is not written back as an attendee", async () => {
  const bob = { displayName: "Bob", emailAddress: "bob@example.org" };
  const options = { shared: "boss@example.org", organizer: "boss@example.org", tellsOrganizer: false, listsOrganizer: true, takesObjects: false, takesStrings: false };
  const { flow, state } = desk({ ...options, required: [bob] });
  assert.deepEqual((await flow.add({ kind: "vmr" })).warnings, []);
  assert.deepEqual(state.required.map((one) => one.emailAddress), ["bob@example.org", MAILBOX.address]);
});

fact("a room of one's own comes in without the mailbox", async () => {
  const { flow, state, server } = desk();
  const outcome = await flow.add({ kind: "personal", roomId: "own" });
  assert.deepEqual([outcome.ok, outcome.state, outcome.warnings], [true, "personal", []]);
  assert.ok(!isInvited(state));
  assert.equal((await flow.inspect()).state, "personal");
  assert.equal(server.byRequest.size, 0);
  await flow.remove();
  assert.equal(state.body, AGENDA);
  assert.deepEqual(server.released, []);
});

fact("a change of kind exchanges everything and gives back the room", async () => {
  const { flow, state, server } = desk();
  const first = (await flow.add({ kind: "vmr" })).reservation;
  const own = await flow.add({ kind: "personal" });
  assert.deepEqual([own.ok, own.state, own.warnings], [true, "personal", []]);
  assert.ok(!isInvited(state) && !state.body.includes(first.ticket));
  assert.equal(state.location, own.reservation.location);
  assert.deepEqual(server.released, [first.ticket]);
  const again = await flow.add({ kind: "vmr" });
  assert.equal(again.state, "replaced");
  assert.ok(isInvited(state) && !state.body.includes(own.reservation.ticket));
  assert.equal(state.location, again.reservation.location);
  assert.notEqual(again.reservation.ticket, first.ticket);
  await flow.remove();
  assert.equal(state.body, AGENDA);
});

fact("one meeting of a series is refused unless the person wants it", async () => {
  const { flow, state, server } = desk({ set: "1.8", seriesId: "AAMkSeries", id: "AAMk" });
  assert.equal((await flow.inspect()).state, "occurrence");
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.step, outcome.error.code], [false, "guard", "error.occurrence"]);
  assert.equal(state.body, AGENDA);
  assert.equal(server.asked.length, 0);
  assert.equal((await flow.add({ kind: "vmr", occurrence: true })).state, "added");
});

fact("one meeting of a series that has the room of the series is simply there", async () => {
  const { flow } = withRoom(7, "vmr", { seriesId: "AAMkSeries" });
  assert.equal((await flow.inspect()).state, "present");
  assert.equal((await flow.add({ kind: "vmr" })).state, "already");
});

fact("messages and meetings that are only read are refused with the reason", async () => {
  const cases = [[{ itemType: "message" }, "error.notAppointment"], [{ itemType: "none" }, "error.notAppointment"], [{ reads: true }, "error.readOnly"]];
  for (const [options, code] of cases) {
    const { flow } = desk(options);
    const outcome = await flow.add({ kind: "vmr" });
    assert.deepEqual([outcome.ok, outcome.step, outcome.error.code, outcome.error.retry], [false, "guard", code, false]);
    const status = await flow.inspect();
    assert.deepEqual([status.state, status.error.code], ["unsupported", code]);
    assert.equal((await flow.remove()).ok, false);
  }
});

fact("while nobody answers a kept room makes the text final", async () => {
  const { flow, server, state, store } = desk();
  await flow.topUp();
  assert.equal(store.count(NOW), 2);
  server.down = true;
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.state, outcome.warnings], [true, "added", ["warning.offlineReserved"]]);
  assert.ok(state.body.includes(ticket(500)) && isInvited(state));
  assert.ok(!JSON.stringify(state.settings).includes(ticket(500)), "it is given out once");
});

fact("while nobody answers and nothing is kept a promise goes in, and is kept when the service is back", async () => {
  const { flow, server, state } = desk({}, { config: { ahead: 1 } });
  await flow.topUp();
  state.settings["greenroom.3"] = JSON.stringify({ ...JSON.parse(state.settings["greenroom.3"]), reservations: [] });
  server.down = true;
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.state, outcome.warnings], [true, "placeholder", ["warning.offlinePlaceholder"]]);
  assert.ok(isInvited(state));
  assert.equal((await flow.inspect()).state, "placeholder");
  assert.equal((await flow.add({ kind: "vmr" })).state, "placeholder", "still nobody");
  assert.equal(state.written.length, 1);
  server.down = false;
  const final = await flow.add({ kind: "vmr" });
  assert.deepEqual([final.state, final.warnings], ["replaced", []]);
  assert.ok(!state.body.includes(ticket(900, "offline")) && state.body.includes(final.reservation.ticket));
  assert.deepEqual(server.released, []);
});

fact("while nobody answers and nothing was ever kept the person is told", async () => {
  const { flow, server, state } = desk();
  server.down = true;
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.step, outcome.error.code, outcome.error.retry], [false, "reserve", "error.unreachable", true]);
  assert.equal(state.body, AGENDA);
  assert.ok(!isInvited(state));
  server.down = false;
  assert.equal((await flow.add({ kind: "vmr" })).state, "added");
});

fact("while nobody answers a meeting that has a room is repaired all the same", async () => {
  const { flow, server, state } = withRoom(7, "vmr", { required: [] });
  server.down = true;
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.state, outcome.warnings], ["repaired", ["warning.notRefreshed"]]);
  assert.ok(isInvited(state));
});

fact("a sign-in that fails because nobody answers counts as nobody answering", async () => {
  const { flow, server } = desk();
  await flow.topUp();
  server.signIn = new Fault("error.signInNeeded", { retry: true });
  let outcome = await flow.add({ kind: "vmr", interactive: false });
  assert.deepEqual([outcome.ok, outcome.step, outcome.error.code], [false, "token", "error.signInNeeded"]);
  server.down = true;
  outcome = await flow.add({ kind: "vmr", interactive: false });
  assert.deepEqual([outcome.ok, outcome.warnings], [true, ["warning.offlineReserved"]]);
});

fact("a refusal is told, and nothing is kept back for it", async () => {
  for (const code of ["error.tokenRefused", "error.notAllowed", "error.tooMany", "error.tooManyUnclaimed"]) {
    const { flow, server, state } = desk();
    await flow.topUp();
    server.refusal = new Fault(code, { status: 403, correlationId: "c-1", retryAfter: 7 });
    const outcome = await flow.add({ kind: "vmr" });
    assert.deepEqual([outcome.ok, outcome.step, outcome.error.code, outcome.error.correlationId], [false, "reserve", code, "c-1"]);
    assert.equal(state.body, AGENDA);
  }
});

fact("a request that failed half-way is gone on with by another page", async () => {
  const { flow, server, state, newFlow } = desk({ faults: { "body.setAsync": { mode: "fail", times: 1 } } });
  const failed = await flow.add({ kind: "vmr" });
  assert.deepEqual([failed.ok, failed.step, failed.error.code, failed.error.retry], [false, "text", "error.outlookFailed", true]);
  assert.equal((await newFlow().flow.add({ kind: "vmr" })).state, "added");
  assert.equal(server.byRequest.size, 1);
  assert.equal(noted(state).request, undefined);
});

fact("another kind after a failure gives back the room of the first try", async () => {
  const { flow, server } = desk({ faults: { "body.setAsync": { mode: "fail", times: 1 } } });
  assert.equal((await flow.add({ kind: "vmr" })).ok, false);
  assert.equal((await flow.add({ kind: "personal" })).state, "personal");
  assert.deepEqual(server.released, [ticket(100)]);
});

fact("what the person writes while a room is asked for is not lost", async () => {
  const { flow, state, api } = desk();
  const { reserve } = api;
  api.reserve = async (request) => {
    state.body = state.body.replace("Agenda", "Agenda, and more");
    return reserve(request);
  };
  await flow.add({ kind: "vmr" });
  assert.ok(state.body.includes("<p>Agenda, and more</p>"));
});

fact("a body that Outlook cut off is no success", async () => {
  const { flow, state } = desk({ rewrite: (body) => body.slice(0, 120) });
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.step], [false, "text"]);
  assert.equal(state.body, AGENDA, "the person's own text is back");
});

fact("a room that another page puts in meanwhile is enough", async () => {
  const { flow, newFlow, server, state, api } = desk();
  const { reserve } = api;
  api.reserve = async (request) => {
    api.reserve = reserve;
    const given = await reserve(request);
    state.properties = {}; // the other page looked before this one had noted its request
    assert.equal((await newFlow().flow.add({ kind: "vmr" })).state, "added");
    return given;
  };
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.state, outcome.warnings], [true, "already", []]);
  assert.ok(!state.body.includes(ticket(100)) && state.body.includes(ticket(101)));
  assert.equal(state.written.length, 1);
  assert.deepEqual(server.released, [ticket(100)]);
  assert.equal((await flow.add({ kind: "vmr" })).state, "already");
});

fact("a location that the server words anew takes the place of the old one", async () => {
  for (const set of ["1.5", "1.8"]) {
    const { flow, state, server, one } = withRoom(7, "vmr", { set, location: "Room 5; https://meet.example.org/j/7" });
    server.known.set(one.ticket, { ...one, location: "https://new.example.org/j/7" });
    assert.deepEqual((await flow.add({ kind: "vmr" })).warnings, []);
    assert.equal(state.location, "Room 5; https://new.example.org/j/7", set);
  }
});

fact("an Outlook that cannot say now whether a meeting is new does not make it one", async () => {
  const { flow } = withRoom(7, "vmr", { properties: {}, id: { refused: 9042 } });
  assert.equal((await flow.inspect()).state, "present");
});

fact("attendees that Outlook loses while one of them goes come back", async () => {
  const people = ["bob@example.org", "eve@example.org"].map((emailAddress) => ({ displayName: "", emailAddress }));
  const { flow, state } = withRoom(7, "vmr", { required: [...people, { displayName: "", emailAddress: MAILBOX.address }], losesFirst: true });
  assert.deepEqual((await flow.remove()).warnings, []);
  assert.deepEqual(state.required.map((one) => one.emailAddress).sort(), ["bob@example.org", "eve@example.org"]);
});

fact("a body that is too long is left alone", async () => {
  const body = `<html><body>${"x".repeat(1_000_000)}</body></html>`;
  const { flow, state } = desk({ body });
  const outcome = await flow.add({ kind: "vmr" });
  assert.deepEqual([outcome.ok, outcome.step, outcome.error.code], [false, "text", "error.bodyTooLong"]);
  assert.equal(state.body, body);
});

fact("the log has codes alone", async () => {
  const { flow, log } = desk({ faults: { "location.setAsync": "fail", "enhancedLocation.addAsync": "throw" } });
  await flow.add({ kind: "vmr" });
  await flow.remove();
  const text = log.toText();
  assert.ok(log.entries().length > 20);
  assert.doesNotMatch(text, /@|https|Agenda|GRM|[Ss]ecret|exchange-token/);
});

fact("the log forgets what is old", () => {
  const { log } = desk();
  for (let i = 0; i < 1000; i += 1) log.add("step", `code ${i} <b>`);
  assert.equal(log.entries().length, 200);
  assert.equal(log.entries()[199].code, "code_999__b_");
});

await report();
