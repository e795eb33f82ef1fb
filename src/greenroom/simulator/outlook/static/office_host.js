/**
 * The host's side of the conversation between Outlook and an add-in's page in a frame: what Outlook on the web does when
 * Office.js (the real one, or the stand-in beside this file) posts its messages.
 *
 * @typedef {object} Quirks Ways in which real Outlooks misbehave. All are off unless given.
 * @property {"objects"|"all"} [addIgnored] `addAsync` of recipients succeeds and does nothing: for objects, or always
 * @property {boolean} [setIgnored] the same of `setAsync`
 * @property {number} [resolveAfter] milliseconds until an added recipient is read back
 * @property {boolean} [organizerIncluded] the organizer is among the required attendees that are read
 * @property {boolean} [noAttendees] the item has no `requiredAttendees` and no `location`
 * @property {"owa"|"classic"} [rewrite] what becomes of markup that is set
 * @property {boolean} [emptyToken] the identity token is empty, and that is called success
 * @property {boolean} [forgetful] custom properties are lost
 * @property {Record<string, number>} [fail] code with which an operation fails, by its name
 * @property {number|Record<string, number>} [slow] milliseconds before answers, of all operations or by name
 * @property {string[]} [silent] operations that are never answered
 *
 * @typedef {object} HostOptions
 * @property {HTMLIFrameElement} frame where the add-in's page is to run; not in a document yet
 * @property {string} url the page
 * @property {import("./office_answers.js").Item} item
 * @property {{name: string, address: string, timeZone?: string, accountType?: string}} user
 * @property {string} set highest requirement set "Mailbox", such as "1.8"
 * @property {Record<string, string>} [sets] other sets, such as {NestedAppAuth: "1.1"}
 * @property {string} [locale] language of the user interface
 * @property {string} [version] version of the host
 * @property {{settings: Record<string, string>, save: (settings: object) => unknown}} [roaming] roaming settings, as sent
 * @property {{identity?: () => unknown, access?: () => unknown}} [tokens] where tokens come from; missing: not here
 * @property {object} [theme] colours; only the stand-in passes them on
 * @property {Quirks} [quirks]
 * @property {(call: {operation: string, data: unknown}) => void} [onCall] told of each operation
 * @property {() => void} [onClose] the page asks to be closed
 */

import { ANSWERS, failed } from "./office_answers.js";
import { CODES, METHODS, OPERATIONS, isWithin, matrix } from "./office_sets.js";

const REQUEST = 0, RESPONSE = 1;
const INVOKE = 0;
const CALLING = 0, EVENTING = 1;
const OUTLOOK_WEB = 64;
const APPOINTMENT_COMPOSE = 5;
const READ_WRITE_ITEM = 3;
const COMMAND = "appCommandInvoked";
let hosts = 0;

/** @param {HostOptions} options */
export function createHost(options) {
  const { frame, url, item, user, set, sets = {}, locale = "en-US", version = "16.0.0.0", theme = null } = options;
  const { roaming = { settings: {}, save: () => undefined }, tokens = {}, quirks = {} } = options;
  const world = { item, user, roaming, tokens, quirks };
  const conversation = `greenroom-${Date.now()}-${++hosts}`;
  const origin = new URL(url, location.href).origin;
  const events = new Map(); // event name -> conversation data of who listens
  const ready = deferred(), listening = deferred();
  let running = null;

  const post = (message) => frame.contentWindow?.postMessage(JSON.stringify({
    _messageType: RESPONSE, _origin: location.origin, _errorCode: 0, _serializerVersion: 1, ...message,
  }), origin);
  const reply = (request, data) => post({
    _actionName: request._actionName,
    _conversationId: request._conversationId,
    _correlationId: request._correlationId,
    _responseType: CALLING,
    _data: data,
  });
  const fire = (name, data) => post({
    _actionName: name, _conversationId: conversation, _correlationId: events.get(name), _responseType: EVENTING, _data: data,
  });

  const context = () => ({
    _id: conversation,
    _appInstanceId: conversation,
    _appName: OUTLOOK_WEB,
    _appVersion: "16.01",
    _appMinorVersion: 0,
    _appUILocale: locale,
    _dataLocale: locale,
    _docUrl: location.href,
    _clientMode: 1,
    _settings: { ...roaming.settings },
    _reason: 1,
    _osfControlType: 1,
    _eToken: "",
    _correlationId: conversation,
    _requirementMatrix: matrix(set, sets),
    _dialogRequirementMatrix: "{}",
    _hostCustomMessage: "",
    _hostFullVersion: version,
    _clientWindowHeight: innerHeight,
    _clientWindowWidth: innerWidth,
    _addinName: "",
    _appDomains: [],
    _featureGates: {},
    _officeTheme: theme,
  });
  const initialData = () => ({
    itemType: APPOINTMENT_COMPOSE,
    permissionLevel: READ_WRITE_ITEM,
    hostVersion: version,
    userDisplayName: user.name,
    userEmailAddress: user.address,
    userTimeZone: user.timeZone ?? "UTC",
    userProfileType: isWithin("1.6", set) ? user.accountType : undefined,
    timeZoneOffsets: null,
    owaView: "ThreeColumns",
    isRestIdSupported: true,
    shouldRunNewCodeForFlags: 0,
    isFromSharedFolder: Boolean(item.shared) && isWithin("1.8", set),
    seriesId: isWithin("1.7", set) ? item.seriesId : undefined,
    withoutAttendees: Boolean(quirks.noAttendees),
  });

  async function execute(request) {
    const id = request._data?.MethodData?.DispatchId;
    const [operation, needs] = OPERATIONS[id] ?? [`dispatch ${id}`, null];
    const params = request._data?.ApiParams ?? {};
    options.onCall?.({ operation, data: params });
    if (quirks.silent?.includes(operation)) return;
    const pause = typeof quirks.slow === "number" ? quirks.slow : quirks.slow?.[operation];
    if (pause) await new Promise((resolve) => { setTimeout(resolve, pause); });
    if (quirks.fail?.[operation]) reply(request, failed(quirks.fail[operation]));
    else if (needs === null || !isWithin(needs, set)) reply(request, failed(CODES.notSupported));
    else {
      try {
        reply(request, await ANSWERS[operation](params, world));
      } catch (error) { // a fault of ours, or tokens and settings out of reach: Office.js waits for an answer all the same
        console.error(error);
        reply(request, failed(CODES.internal));
      }
    }
  }

  async function method(request) {
    const operation = METHODS[request._data?.DdaMethod?.DispatchId] ?? `method ${request._data?.DdaMethod?.DispatchId}`;
    const data = request._data;
    options.onCall?.({ operation, data: operation === "commandCompleted" ? { status: data[1], data: data[2] } : null });
    if (quirks.silent?.includes(operation)) return;
    switch (operation) {
      case "commandCompleted":
        reply(request, { Error: 0, Version: 1 });
        if (running?.id === data[0]) running.finished.resolve({ status: data[1], data: data[2] });
        break;
      case "closeContainer":
        reply(request, { Error: 0, Version: 1 });
        options.onClose?.();
        break;
      case "accessToken": {
        const code = quirks.fail?.accessToken ?? (tokens.access && sets.IdentityAPI ? 0 : CODES.ssoPlatform);
        reply(request, code ? { Error: code, Version: 1 } : { Error: 0, Version: 1, accessToken: await tokens.access() });
        break;
      }
      default:
        reply(request, { Error: CODES.notSupported, Version: 1 });
    }
  }

  function receive(event) {
    if (event.source !== frame.contentWindow || event.origin !== origin || typeof event.data !== "string") return;
    let request;
    try { request = JSON.parse(event.data); } catch { return; }
    if (request?._messageType !== REQUEST || request._conversationId !== conversation) return;
    if (request._actionType !== INVOKE) {
      const isNew = request._actionType === 1;
      if (isNew) events.set(request._actionName, request._correlationId);
      else events.delete(request._actionName);
      reply(request, { Error: request._actionName === "dialogMessageReceived" && isNew ? CODES.notSupported : 0 });
      if (isNew && request._actionName === COMMAND) listening.resolve();
      return;
    }
    switch (request._actionName) {
      case "ContextActivationManager_getAppContextAsync": reply(request, context()); break;
      case "GetInitialData":
        reply(request, initialData());
        ready.resolve();
        break;
      case "ExecuteMethod": void execute(request); break;
      case "executeMethod": void method(request); break;
      default: // notices such as ContextActivationManager_notifyHost want no answer
    }
  }

  return {
    /** Settled when the page has what it needs to begin. */
    ready: ready.promise,
    /** Name the frame as Outlook does, and load the page: put the frame into `holder`. */
    start(holder) {
      addEventListener("message", receive);
      const here = location.href.split("#")[0];
      frame.name = JSON.stringify({
        hostInfo: `Outlook$Web$16.01$${locale}$$$$0`, xdmInfo: `${conversation}|${conversation}|${here}`, serializerVersion: 1,
      });
      frame.src = url;
      holder.append(frame);
    },
    /** Run a function of the page, as a button of the ribbon does. Gives {status, data} when it says it has completed. */
    async run(name, source = "ribbon") {
      await listening.promise;
      running = { id: `${conversation}-${name}`, finished: deferred() };
      fire(COMMAND, { 0: running.id, 1: name, 2: JSON.stringify({ source: { id: source } }) });
      return running.finished.promise;
    },
    /** Tell the page of an event it listens to, such as "officeThemeChanged". */
    fire,
    /** Say no more. */
    stop() { removeEventListener("message", receive); },
  };
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
