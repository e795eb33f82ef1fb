"use strict";
/*
 * A small stand-in for Office.js, written for the simulator: the part of it that a meeting's add-in uses, in the words of
 * the same protocol (office_host.js), so that a demonstration needs neither the internet nor https. The real Office.js
 * trusts no host that is not https, whatever its name.
 *
 * As in the real one, arguments that Outlook would never take are thrown, not given to the callback.
 */
(() => {
  const REQUEST = 0, RESPONSE = 1;
  const INVOKE = 0, REGISTER = 1, UNREGISTER = 2;
  const CALLING = 0;
  const SUCCEEDED = "succeeded", FAILED = "failed";
  const MAX = { body: 1_000_000, location: 255, subject: 255, recipients: 100, name: 255, address: 571, message: 150, key: 32, properties: 2500, settings: 32 * 1024 };
  const NOTICES = { informationalMessage: 0, progressIndicator: 1, errorMessage: 2 };
  const NAMES = { 5000: "OperationNotSupported", 9002: "InternalFormatError", 9012: "NumberOfRecipientsExceeded", 9017: "AccessRestricted", 9018: "GenericTokenError", 9019: "GenericSettingsError", 9020: "GenericResponseError", 9023: "DuplicateNotificationKey", 9024: "NotificationKeyNotFound", 9025: "NumberOfNotificationsExceeded", 9046: "ItemNotSaved" };
  const KINDS = ["other", "distributionList", "user", "externalUser"];
  const RESPONSES = ["none", "organizer", "tentative", "accepted", "declined"];
  const CLOSED = 12006;

  const named = (() => { try { return JSON.parse(window.name) || {}; } catch { return {}; } })();
  const [conversation, , hostAddress] = (named.xdmInfo || "").split("|");
  const isDialog = (named.hostInfo || "").includes("isDialog") && window.opener !== null;
  const isInside = Boolean(conversation && hostAddress) && window.parent !== window && !isDialog;
  const hostOrigin = hostAddress ? new URL(hostAddress).origin : "";

  // The conversation with the host.
  let calls = 0;
  const waiting = new Map(); // correlation id -> what its answer goes to
  const listeners = new Map(); // event name -> handler
  function send(action, data, answered, kind = INVOKE) {
    const id = calls++;
    waiting.set(id, answered);
    window.parent.postMessage(JSON.stringify({
      _messageType: REQUEST, _actionName: action, _actionType: kind, _conversationId: conversation, _correlationId: id,
      _origin: location.origin, _data: data ?? null, _serializerVersion: 1,
    }), hostOrigin);
  }
  addEventListener("message", (event) => {
    if (!isInside || event.source !== window.parent || event.origin !== hostOrigin || typeof event.data !== "string") return;
    let message;
    try { message = JSON.parse(event.data); } catch { return; }
    if (message?._messageType !== RESPONSE || message._conversationId !== conversation) return;
    if (message._responseType !== CALLING) {
      listeners.get(message._actionName)?.(message._data);
      return;
    }
    const answered = waiting.get(message._correlationId);
    waiting.delete(message._correlationId);
    answered?.(message._data);
  });

  // Arguments and results.
  const error = (kind, name, message) => Object.assign(new Error(`Sys.${kind}Exception: ${message}\nParameter name: ${name}`), { name: `Sys.${kind}Exception`, paramName: name });
  const need = (good, kind, name, message = "Value does not fall within the expected range.") => { if (!good) throw error(kind, name, message); };
  function common(given) {
    const callback = given.find((one) => typeof one === "function");
    const options = given.find((one) => one !== null && typeof one === "object") ?? {};
    return { callback, options };
  }
  const result = (status, value, code, options) => ({
    status, value, asyncContext: options.asyncContext, diagnostics: undefined,
    error: status === FAILED ? { code, name: NAMES[code] ?? "Error", message: NAMES[code] ?? `Error ${code}` } : undefined,
  });
  function ask(id, params, given, { read = (answer) => answer.data } = {}) {
    const { callback, options } = common(given);
    send("ExecuteMethod", { ApiParams: params, MethodData: { ControlId: conversation, DispatchId: id } }, (answer) => {
      const good = answer.wasSuccessful && !answer.error;
      callback?.(good ? result(SUCCEEDED, read(answer), 0, options) : result(FAILED, undefined, answer.errorCode ?? 5000, options));
    });
  }
  const coercion = (type) => ({ html: 3, text: 0 })[type];

  // The item.
  const person = ({ name, address, recipientType, appointmentResponse: response }) => ({
    displayName: name, emailAddress: address, recipientType: KINDS[recipientType] ?? "other",
    ...(typeof response === "number" ? { appointmentResponse: RESPONSES[response] ?? "none" } : {}),
  });
  function people(given) {
    need(Array.isArray(given), "Argument", "recipients");
    need(given.length <= MAX.recipients, "ArgumentOutOfRange", "recipients");
    return given.map((one) => {
      const name = typeof one === "string" ? one : one?.displayName, address = typeof one === "string" ? one : one?.emailAddress;
      need(name || address, "Argument", "recipients");
      need((name ?? "").length <= MAX.name && (address ?? "").length <= MAX.address, "ArgumentOutOfRange", "recipients");
      return { address, name };
    });
  }
  const recipients = (field) => ({
    getAsync: (...given) => ask(15, { recipientField: field }, given, { read: (answer) => answer.data.map(person) }),
    addAsync: (list, ...given) => ask(22, { recipientField: field, recipientArray: people(list) }, given),
    setAsync: (list, ...given) => ask(21, { recipientField: field, recipientArray: people(list) }, given),
  });
  function written(id) {
    return (data, ...given) => {
      need(typeof data === "string", "ArgumentType", "data");
      need(data.length <= MAX.body, "ArgumentOutOfRange", "data");
      const { options } = common(given);
      ask(id, { data, coercionType: coercion(options.coercionType ?? "text") }, given);
    };
  }
  const limited = (id, name, most) => (text, ...given) => {
    need(typeof text === "string", "ArgumentType", name);
    need(text.length <= most, "ArgumentOutOfRange", name);
    ask(id, { [name]: text }, given);
  };
  const time = (which) => ({
    getAsync: (...given) => ask(24, { TimeProperty: which }, given, { read: (answer) => new Date(answer.data) }),
    setAsync: (moment, ...given) => ask(25, { TimeProperty: which, time: moment.getTime() }, given),
  });
  function notice(id) {
    return (key, data, ...given) => {
      need(typeof key === "string" && key !== "" && key.length <= MAX.key, "ArgumentOutOfRange", "key");
      need(data.type in NOTICES, "Argument", "type");
      const isInformation = data.type === "informationalMessage";
      need(isInformation ? typeof data.icon === "string" && data.icon !== "" : data.icon === undefined, "Argument", "icon");
      need(isInformation ? typeof data.persistent === "boolean" : data.persistent === undefined, "Argument", "persistent");
      need(typeof data.message === "string" && data.message !== "", "ArgumentNull", "message");
      need(data.message.length <= MAX.message, "ArgumentOutOfRange", "message");
      const { message, icon, persistent } = data;
      ask(id, { key, message, type: NOTICES[data.type], icon, persistent }, given);
    };
  }
  function places(id) {
    return (list, ...given) => {
      need(Array.isArray(list) && list.length > 0, "Argument", "locationIdentifier");
      need(list.every((one) => one?.id && ["room", "custom"].includes(one.type)), "Argument", "locationIdentifier");
      ask(id, { enhancedLocations: list }, given);
    };
  }
  class CustomProperties {
    #data;
    constructor(data) { this.#data = data; }
    get(key) { return this.#data[key]; }
    set(key, value) { this.#data[key] = value; }
    remove(key) { delete this.#data[key]; }
    getAll() { return { ...this.#data }; }
    saveAsync(...given) {
      need(JSON.stringify(this.#data).length <= MAX.properties, "ArgumentOutOfRange", "customProperties");
      ask(4, { customProperties: this.#data }, given);
    }
  }
  function itemOf(initial) {
    return {
      itemType: "appointment",
      seriesId: initial.seriesId,
      body: {
        getTypeAsync: (...given) => ask(14, null, given),
        getAsync: (type, ...given) => {
          need(coercion(type) !== undefined, "Argument", "coercionType");
          ask(37, { coercionType: coercion(type) }, given);
        },
        setAsync: written(38),
        prependAsync: written(23),
      },
      subject: { getAsync: (...given) => ask(18, null, given), setAsync: limited(17, "subject", MAX.subject) },
      ...(initial.withoutAttendees ? {} : {
        requiredAttendees: recipients(0),
        location: { getAsync: (...given) => ask(26, null, given), setAsync: limited(27, "location", MAX.location) },
      }),
      optionalAttendees: recipients(1),
      start: time(1),
      end: time(2),
      enhancedLocation: { getAsync: (...given) => ask(154, null, given), addAsync: places(155), removeAsync: places(156) },
      organizer: { getAsync: (...given) => ask(107, null, given, { read: (answer) => person(answer.data) }) },
      recurrence: { getAsync: (...given) => ask(103, null, given, { read: ({ data }) => data && Object.fromEntries(Object.entries(data).filter(([key]) => key !== "seriesTimeJson")) }) },
      notificationMessages: {
        addAsync: notice(33),
        getAllAsync: (...given) => ask(34, null, given),
        replaceAsync: notice(35),
        removeAsync: (key, ...given) => ask(36, { key }, given),
      },
      getItemIdAsync: (...given) => ask(164, null, given),
      saveAsync: (...given) => ask(32, null, given),
      loadCustomPropertiesAsync: (...given) => ask(3, null, given, { read: (answer) => new CustomProperties(JSON.parse(answer.customProperties)) }),
      ...(initial.isFromSharedFolder ? { getSharedPropertiesAsync: (...given) => ask(108, null, given) } : {}),
      addHandlerAsync: (type, handler, ...given) => listen(type, handler, given),
      removeHandlerAsync: (type, ...given) => listen(type, null, given),
    };
  }
  function listen(type, handler, given) {
    const { callback, options } = common(given);
    if (handler) listeners.set(type, handler); else listeners.delete(type);
    send(type, { controlId: conversation, targetId: "" }, ({ Error: code }) => {
      callback?.(code ? result(FAILED, undefined, code, options) : result(SUCCEEDED, undefined, 0, options));
    }, handler ? REGISTER : UNREGISTER);
  }

  // Calls that are not about the item.
  const execute = (id, data, answered) => send("executeMethod", { ...data, DdaMethod: { ControlId: conversation, Version: 1, DispatchId: id } }, answered);
  function accessToken(...given) {
    const { callback, options } = common(given);
    execute(98, options, ({ Error: code, accessToken: token }) => callback?.(code ? result(FAILED, undefined, code, options) : result(SUCCEEDED, token, 0, options)));
  }
  function displayDialog(address, ...given) {
    const { callback, options } = common(given);
    const handlers = new Map();
    const size = `width=${Math.round(screen.width * (options.width ?? 80) / 100)},height=${Math.round(screen.height * (options.height ?? 80) / 100)}`;
    const opened = window.open(address, JSON.stringify({ hostInfo: "Outlook$Web$16.01$en-US$$isDialog$$0" }), size);
    if (!opened) {
      callback?.(result(FAILED, undefined, 12009, options));
      return;
    }
    const received = (event) => {
      if (event.source !== opened || event.origin !== location.origin || typeof event.data !== "string") return;
      const { messageToParent } = JSON.parse(event.data);
      handlers.get("dialogMessageReceived")?.({ type: "dialogMessageReceived", message: messageToParent, origin: event.origin });
    };
    const stop = () => {
      removeEventListener("message", received);
      clearInterval(looking);
    };
    const looking = setInterval(() => {
      if (!opened.closed) return;
      stop();
      handlers.get("dialogEventReceived")?.({ type: "dialogEventReceived", error: CLOSED });
    }, 500);
    addEventListener("message", received);
    const dialog = {
      addEventHandler: (type, handler) => handlers.set(type, handler),
      close: () => {
        stop();
        opened.close();
      },
    };
    setTimeout(() => callback?.(result(SUCCEEDED, dialog, 0, options)));
  }
  function roaming(serialized) {
    const data = Object.fromEntries(Object.entries(serialized).map(([key, value]) => [key, JSON.parse(value)]));
    return {
      get: (key) => data[key],
      set: (key, value) => { data[key] = value; },
      remove: (key) => { delete data[key]; },
      saveAsync: (...given) => {
        const { callback, options } = common(given);
        const settings = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, JSON.stringify(value)]));
        if (JSON.stringify(settings).length > MAX.settings) {
          setTimeout(() => callback?.(result(FAILED, undefined, 9019, options)));
          return;
        }
        ask(404, [settings], given);
      },
    };
  }
  function isSetSupported(sets, name, version = "0") {
    const offered = Object.entries(sets).find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
    if (offered === undefined) return false;
    const [major, minor = 0] = `${version}`.split(".").map(Number), [ourMajor, ourMinor = 0] = `${offered}`.split(".").map(Number);
    return ourMajor > major || (ourMajor === major && ourMinor >= minor);
  }

  // Functions behind the ribbon's buttons.
  const associated = new Map();
  function command({ 0: id, 1: name, 2: event }) {
    const finish = (status, data) => execute(94, { 0: id, 1: status, 2: data });
    const action = associated.get(name.toUpperCase());
    if (!action) {
      finish(7000, "");
      return;
    }
    const given = JSON.parse(event);
    setTimeout(() => action({ ...given, completed: (context) => finish(0, JSON.stringify({ ...given, completedContext: context })) }));
  }

  // What pages see.
  const context = { requirements: { isSetSupported: () => false }, ui: {} };
  let begin;
  const begun = new Promise((resolve) => { begin = resolve; });
  window.Office = {
    context,
    onReady: (callback) => (callback ? begun.then((info) => { callback(info); return info; }) : begun),
    actions: { associate: (name, action) => associated.set(name.toUpperCase(), action) },
    AsyncResultStatus: { Succeeded: SUCCEEDED, Failed: FAILED },
    CoercionType: { Html: "html", Text: "text" },
    HostType: { Outlook: "Outlook" },
    PlatformType: { OfficeOnline: "OfficeOnline" },
    EventType: {
      DialogMessageReceived: "dialogMessageReceived", DialogEventReceived: "dialogEventReceived", OfficeThemeChanged: "officeThemeChanged",
      AppointmentTimeChanged: "olkAppointmentTimeChanged", RecipientsChanged: "olkRecipientsChanged", RecurrenceChanged: "olkRecurrenceChanged",
      EnhancedLocationsChanged: "olkEnhancedLocationsChanged",
    },
    MailboxEnums: {
      ItemNotificationMessageType: { ProgressIndicator: "progressIndicator", InformationalMessage: "informationalMessage", ErrorMessage: "errorMessage" },
      ItemType: { Appointment: "appointment", Message: "message" },
      LocationType: { Custom: "custom", Room: "room" },
      RecipientType: { User: "user", ExternalUser: "externalUser", DistributionList: "distributionList", Other: "other" },
    },
  };
  window.OfficeRuntime = {
    auth: {
      getAccessToken: (options = {}) => new Promise((resolve, reject) => {
        accessToken(options, ({ status, value, error: reason }) => (status === SUCCEEDED ? resolve(value) : reject(reason)));
      }),
    },
  };
  window.Office.auth = window.OfficeRuntime.auth;

  if (isDialog) {
    context.ui.messageParent = (message, { targetOrigin } = {}) => {
      window.opener.postMessage(JSON.stringify({ messageToParent: message }), targetOrigin ?? location.origin);
    };
    begin({ host: "Outlook", platform: "OfficeOnline" });
  } else if (isInside) {
    send("ContextActivationManager_getAppContextAsync", conversation, (app) => {
      send("GetInitialData", { MethodData: { ControlId: conversation, DispatchId: 1 } }, (initial) => {
        const sets = JSON.parse(app._requirementMatrix);
        Object.assign(context, {
          host: "Outlook", platform: "OfficeOnline", displayLanguage: app._appUILocale, contentLanguage: app._dataLocale, officeTheme: app._officeTheme ?? undefined,
          diagnostics: { host: "Outlook", platform: "OfficeOnline", version: app._hostFullVersion },
          requirements: { isSetSupported: (name, version) => isSetSupported(sets, name, version) },
          roamingSettings: roaming(app._settings),
          auth: { getAccessTokenAsync: accessToken },
          ui: { displayDialogAsync: displayDialog, closeContainer: () => execute(97, {}) },
          mailbox: {
            item: itemOf(initial),
            diagnostics: { hostName: "OutlookWebApp", hostVersion: initial.hostVersion, OWAView: initial.owaView },
            userProfile: {
              accountType: initial.userProfileType, displayName: initial.userDisplayName, emailAddress: initial.userEmailAddress, timeZone: initial.userTimeZone,
            },
            getUserIdentityTokenAsync: (...given) => ask(2, null, given, { read: (answer) => answer.token }),
            addHandlerAsync: (type, handler, ...given) => listen(type, handler, given),
            removeHandlerAsync: (type, ...given) => listen(type, null, given),
          },
        });
        begin({ host: "Outlook", platform: "OfficeOnline" });
        listeners.set("appCommandInvoked", command);
        setTimeout(() => send("appCommandInvoked", { controlId: conversation, targetId: "" }, () => undefined, REGISTER));
      });
    });
  } else {
    begin({ host: null, platform: null });
  }
})();
