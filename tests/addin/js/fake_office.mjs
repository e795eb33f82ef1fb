// A small Outlook, written by hand: what the add-in asks of Office.js, with the faults of real ones.
//
// `faults` is {call name: mode}: "throw" at once, "fail" (status failed), "never" (nothing is done, no answer), "late" (it is done,
// no answer), "ignore" (answers that it worked, does nothing), or {mode, times}. `faultAt` is {index, mode}: one call, by its number.

const MAILBOX_SETS = Array.from({ length: 16 }, (_, i) => `1.${i + 1}`);

export function fakeOutlook(options = {}) {
  const state = {
    set: "1.8",
    otherSets: {}, // such as {NestedAppAuth: "1.1"}
    platform: "OfficeOnline",
    itemType: "appointment",
    reads: false,
    type: "html",
    body: "<html><body><p>Agenda</p></body></html>",
    location: "",
    places: [],
    brokenPlaces: false, // an Exchange Server behind a newer Outlook
    required: [],
    optional: [],
    hasAttendees: true,
    hasLocation: true,
    organizer: "ann@example.org",
    tellsOrganizer: true,
    listsOrganizer: false, // classic Outlook reads out the organizer among the attendees
    user: "ann@example.org",
    properties: {},
    id: null,
    seriesId: null,
    series: null,
    shared: null,
    settings: {},
    hasSettings: true,
    notices: {},
    token: "exchange-token",
    sso: "sso-token",
    dialog: null, // what the window says, or {error: number}
    takesObjects: true, // false: adding {displayName, emailAddress} does nothing
    takesStrings: true,
    losesFirst: false, // writing all attendees anew loses one of them
    rewrite: (body) => body,
    faults: {},
    calls: [],
    written: [],
    busy: 0,
    mostBusy: 0,
    ...options,
  };

  // No clock: the time of a call is over when the small Outlook has decided not to answer it.
  const rings = new Set();
  const outlook = {
    alarm: (ring) => {
      rings.add(ring);
      return () => rings.delete(ring);
    },
    timeIsOver: () => [...rings].forEach((ring) => ring()),
  };

  const custom = (text) => ({ locationIdentifier: { id: text, type: "custom" }, displayName: text, emailAddress: "" });
  // One location, told in two ways; writing it as a text makes texts of its rooms.
  state.places = [...state.places, ...(state.location ? [custom(state.location)] : [])];
  Object.defineProperty(state, "location", {
    get: () => state.places.map((one) => one.displayName).join("; "),
    set: (text) => void (state.places = text ? [custom(text)] : []),
  });

  const lists = (set) => MAILBOX_SETS.indexOf(set) <= MAILBOX_SETS.indexOf(state.set) && MAILBOX_SETS.includes(set);
  const refused = (code) => ({ status: "failed", error: { code, name: "Secret name", message: "Secret message" } });

  function answer(name, done, action, code = 9999) {
    state.calls.push(name);
    const fault = state.faultAt && state.calls.length - 1 === state.faultAt.index ? state.faultAt.mode : state.faults[name];
    const mode = typeof fault === "object" ? (fault.times-- > 0 ? fault.mode : null) : fault;
    if (mode === "throw") throw Object.assign(new Error("Sys.ArgumentOutOfRangeException: secret"), { name: "Sys" });
    if (mode === "never" || mode === "late") setImmediate(() => setImmediate(outlook.timeIsOver));
    if (mode === "never") return;
    state.busy += 1;
    state.mostBusy = Math.max(state.mostBusy, state.busy);
    setImmediate(() => {
      state.busy -= 1;
      let result;
      if (mode === "fail") result = refused(code);
      else if (mode === "ignore") result = { status: "succeeded", value: undefined };
      else {
        const value = action();
        result = value?.refused ? refused(value.refused) : { status: "succeeded", value };
      }
      if (mode !== "late") done?.(result);
    });
  }

  const person = (one) => (typeof one === "string" ? { displayName: one, emailAddress: one } : { ...one });
  const attendees = (name) => ({
    getAsync: (done) =>
      answer(`${name}.getAsync`, done, () => {
        const own = state.listsOrganizer && name === "requiredAttendees" ? [{ displayName: "Ann", emailAddress: state.organizer }] : [];
        return [...own, ...state[listOf(name)]].map(person);
      }),
    addAsync(who, done) {
      if (who.length > 100) throw new Error("Sys.ArgumentOutOfRangeException");
      answer(`${name}.addAsync`, done, () => {
        for (const one of who) {
          const takes = typeof one === "string" ? state.takesStrings : state.takesObjects;
          const address = person(one).emailAddress;
          if (takes && !address.includes("'")) state[listOf(name)].push(person(one));
        }
      });
    },
    setAsync(who, done) {
      if (who.length > 100) throw new Error("Sys.ArgumentOutOfRangeException");
      answer(`${name}.setAsync`, done, () => {
        state[listOf(name)] = who.slice(state.losesFirst ? 1 : 0).map(person);
      });
    },
  });
  const listOf = (name) => (name === "requiredAttendees" ? "required" : "optional");

  const item = {
    itemType: state.itemType,
    subject: state.reads ? "Subject" : { getAsync: () => undefined },
    seriesId: state.seriesId,
    body: {
      getTypeAsync: (done) => answer("body.getTypeAsync", done, () => state.type),
      getAsync: (type, done) => answer("body.getAsync", done, () => (type === "text" && state.type === "html" ? state.body.replace(/<[^<>]*>/g, " ") : state.body)),
      setAsync(content, { coercionType }, done) {
        if (content.length > 1_000_000) throw new Error("Sys.ArgumentOutOfRangeException");
        answer("body.setAsync", done, () => {
          if (coercionType !== state.type) return { refused: 5001 };
          state.body = state.rewrite(content);
          state.written.push(content);
        });
      },
    },
    ...(state.hasLocation
      ? {
          location: {
            getAsync: (done) => answer("location.getAsync", done, () => state.location),
            setAsync(text, done) {
              if (text.length > 255) throw new Error("Sys.ArgumentOutOfRangeException");
              answer("location.setAsync", done, () => {
                state.location = text;
              });
            },
          },
        }
      : {}),
    enhancedLocation: {
      getAsync: (done) => answer("enhancedLocation.getAsync", done, () => (places() ? state.places.map((one) => ({ ...one })) : { refused: 5000 }), 5001),
      addAsync: (added, done) =>
        answer("enhancedLocation.addAsync", done, () => {
          if (!places()) return { refused: 5000 };
          state.places.push(...added.map(({ id }) => custom(id)));
        }, 5001),
      removeAsync: (gone, done) =>
        answer("enhancedLocation.removeAsync", done, () => {
          if (!places()) return { refused: 5000 };
          state.places = state.places.filter((one) => !gone.some(({ id, type }) => id === one.locationIdentifier.id && type === one.locationIdentifier.type));
        }, 5001),
    },
    ...(state.hasAttendees ? { requiredAttendees: attendees("requiredAttendees"), optionalAttendees: attendees("optionalAttendees") } : {}),
    organizer: {
      getAsync: (done) => answer("organizer.getAsync", done, () => (lists("1.7") && state.tellsOrganizer ? { emailAddress: state.organizer } : { refused: 5000 })),
    },
    recurrence: { getAsync: (done) => answer("recurrence.getAsync", done, () => (lists("1.7") ? state.series : { refused: 5000 })) },
    getItemIdAsync: (done) => answer("getItemIdAsync", done, () => (lists("1.8") ? state.id ?? { refused: 9046 } : { refused: 5000 })),
    loadCustomPropertiesAsync: (done) =>
      answer("loadCustomPropertiesAsync", done, () => {
        const copy = { ...state.properties };
        return {
          get: (key) => copy[key],
          set: (key, value) => void (copy[key] = value),
          remove: (key) => void delete copy[key],
          saveAsync: (saved) => answer("customProperties.saveAsync", saved, () => void (state.properties = { ...copy })),
        };
      }),
    notificationMessages: {
      replaceAsync(key, message, done) {
        if (message.message.length > 150 || (message.type !== "informationalMessage" && message.icon)) throw new Error("Sys.ArgumentOutOfRangeException");
        if (message.type === "informationalMessage" && !message.icon) throw new Error("Sys.ArgumentNullException");
        answer("notificationMessages.replaceAsync", done, () => void (state.notices[key] = message));
      },
      removeAsync: (key, done) => answer("notificationMessages.removeAsync", done, () => void delete state.notices[key]),
    },
    saveAsync: () => {
      throw new Error("saveAsync sends updates: it must never be called");
    },
    ...(state.shared ? { getSharedPropertiesAsync: (done) => answer("getSharedPropertiesAsync", done, () => ({ owner: state.shared })) } : {}),
  };
  const places = () => lists("1.8") && !state.brokenPlaces;

  const Office = {
    context: {
      displayLanguage: "en-US",
      platform: state.platform,
      requirements: { isSetSupported: (name, set) => (name === "Mailbox" ? lists(set) : state.otherSets[name] === set) },
      officeTheme: { isDarkTheme: true },
      mailbox: {
        item: state.itemType === "none" ? null : item,
        diagnostics: { hostName: "OutlookWebApp", hostVersion: "16.0.1" },
        userProfile: { emailAddress: state.user },
        getUserIdentityTokenAsync: (done) => answer("getUserIdentityTokenAsync", done, () => state.token),
        addHandlerAsync: () => undefined,
      },
      ui: {
        displayDialogAsync: (url, _options, done) =>
          answer("displayDialogAsync", done, () => {
            state.opened = url;
            return {
              close: () => undefined,
              addEventHandler(kind, handle) {
                const isError = typeof state.dialog === "object" && state.dialog?.closed;
                if (kind === "dialogEventReceived" && isError) setTimeout(() => handle({ error: state.dialog.closed }), 0);
                if (kind === "dialogMessageReceived" && state.dialog !== null && !isError) setTimeout(() => handle({ message: state.dialog, origin: state.dialogOrigin }), 0);
              },
            };
          }),
      },
      ...(state.hasSettings
        ? {
            roamingSettings: {
              get: (key) => state.settings[key],
              set: (key, value) => void (state.settings[key] = value),
              remove: (key) => void delete state.settings[key],
              saveAsync: (done) => answer("roamingSettings.saveAsync", done, () => undefined),
            },
          }
        : {}),
    },
  };
  const runtime = {
    auth: {
      async getAccessToken() {
        state.calls.push("getAccessToken");
        if (typeof state.sso === "number") throw Object.assign(new Error("secret"), { code: state.sso });
        return state.sso;
      },
    },
  };
  return { Office, runtime, state, alarm: outlook.alarm };
}
