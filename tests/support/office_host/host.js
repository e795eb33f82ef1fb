// The page of the tests' Outlook: it holds an item and opens frames for the add-in's pages. Driven by tests/support/outlooks.py.
import { createHost } from "/outlook-host/static/office_host.js";

const BLANK = {
  subject: "", body: { type: "html", content: "" }, location: "", rooms: [], required: [], optional: [],
  start: "2026-03-03T09:00:00.000Z", end: "2026-03-03T10:00:00.000Z", recurrence: null, seriesId: null, itemId: null,
  shared: null, customProperties: {}, notifications: [],
};
let setup;
const hosts = new Map(); // name of a frame -> its host

window.outlook = {
  calls: [],
  begin(given) {
    setup = given;
    this.item = { ...BLANK, ...setup.item };
    this.quirks = setup.quirks;
    this.settings = setup.settings;
  },
  /** Load a page of the add-in into a new frame; settled once Office.js has what it needs, unless `patient` is false. */
  async open(name, url, hidden, patient = true) {
    this.close(name);
    const frame = document.createElement("iframe");
    frame.className = hidden ? "hidden" : "";
    frame.dataset.name = name;
    frame.title = name;
    const host = createHost({
      frame, url,
      item: this.item,
      quirks: this.quirks,
      user: setup.user,
      set: setup.set,
      sets: setup.sets,
      version: setup.version,
      locale: setup.locale,
      theme: setup.theme,
      tokens: {
        identity: setup.hasIdentityToken ? () => window.outlookIdentityToken() : undefined,
        access: setup.hasAccessToken ? () => window.outlookAccessToken() : undefined,
      },
      roaming: { settings: this.settings, save: (settings) => { this.settings = { ...settings }; } },
      onCall: (call) => this.calls.push({ frame: name, ...call }),
      onClose: () => this.close(name),
    });
    hosts.set(name, { host, frame });
    host.start(document.body);
    if (patient) await host.ready;
  },
  run(name, command) { return hosts.get(name).host.run(command); },
  close(name) {
    const known = hosts.get(name);
    if (!known) return;
    known.host.stop();
    known.frame.remove();
    hosts.delete(name);
  },
  isOpen(name) { return hosts.has(name); },
};
