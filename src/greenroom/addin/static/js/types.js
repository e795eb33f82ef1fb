/**
 * @file The shapes that the add-in's modules hand to one another. Nothing here runs.
 *
 * Seams, from the outside in: a page makes `office` (office.js), `store` (store.js), `log` (log.js), `auth` (auth/index.js),
 * `api` (api.js), and of these a `flow` (flow.js), which is all it needs:
 *
 *     const log = createLog();
 *     const office = createOffice(Office, { log });
 *     const auth = createAuth({ config, office, log });
 *     const api = createApi({ config, auth, log });
 *     const store = createStore({ office, integration: config.integration });
 *     const flow = createFlow({ office, config, api, store, log });
 */

/** @typedef {import("./keys.js").TextKey} TextKey */

/* What the server says -------------------------------------------------------------------------------------------------- */

/** @typedef {{address: string, name: string}} Mailbox The equipment mailbox that a meeting with a room invites. */

/** @typedef {{kind: "naa", client_id: string, authority: string, scopes: string[]}} NaaMethod */
/** @typedef {{kind: "sso"}} SsoMethod */
/** @typedef {{kind: "exchange"}} ExchangeMethod */
/** @typedef {{kind: "oidc", page: string}} OidcMethod */
/** @typedef {NaaMethod | SsoMethod | ExchangeMethod | OidcMethod} SignInMethod */

/**
 * `config.json`: public, without secrets.
 * @typedef {object} Config
 * @property {number} integration
 * @property {string} name
 * @property {string} version hash of the static files
 * @property {Mailbox} mailbox
 * @property {string} prefix of tickets, such as "GRM"
 * @property {"end" | "top"} place where a new block goes
 * @property {number} ahead how many reservations are kept for the time that nobody answers
 * @property {boolean} personal_rooms
 * @property {string} api path of the API, without a slash at its end
 * @property {SignInMethod[]} sign_in in the order in which they are tried
 * @property {{authorize_url: string, client_id: string, scopes: string[], resource?: string | null, redirect_uri: string}} [oidc]
 * @property {string | null} msal address of msal-browser.min.js
 * @property {string | null} help
 * @property {string[]} languages
 * @property {Record<string, Record<string, string>>} texts
 */

/** @typedef {"vmr" | "personal" | "offline"} Kind A room of its own, one of the person's own, a promise of the first. */

/**
 * @typedef {object} Reservation
 * @property {Kind} kind
 * @property {string} ticket
 * @property {string} html the whole block, for HTML bodies
 * @property {string} text the whole block, for plain-text bodies
 * @property {string} location
 * @property {string} join_url
 * @property {string} alias
 * @property {string} numeric_alias
 * @property {string | null} expires_at ISO 8601
 * @property {boolean} claimed whether an invitation has brought this ticket already
 * @property {boolean} asked whether a page asked for it; else the service made it for a meeting that invited the mailbox
 * @property {Mailbox | null} mailbox whom to invite; nobody for a personal room
 */

/** @typedef {{id: string, name: string, description: string}} PersonalRoom */
/** @typedef {{reservations: Reservation[], offline: Reservation}} Ahead */

/* What a flow says ------------------------------------------------------------------------------------------------------ */

/**
 * What stands in the opened meeting.
 * - "none": nothing of ours; "present": all that belongs there; "incomplete": some of it (`missing`);
 * - "copied": the room of another meeting came along with a copy; `add` gives this one its own;
 * - "placeholder": a promise, made while nobody answered; `add` turns it into a room;
 * - "personal": one of the person's own rooms (`missing` tells what is not there);
 * - "occurrence": one meeting of a series, without a room: `add` refuses unless `occurrence: true`;
 * - "unsupported": no meeting that is being written (`error` tells which).
 * @typedef {"none" | "present" | "copied" | "placeholder" | "personal" | "incomplete" | "occurrence" | "unsupported"} MeetingState
 */

/** @typedef {"mailbox" | "text" | "location"} Part */

/**
 * @typedef {object} MeetingStatus
 * @property {MeetingState} state
 * @property {string | null} ticket
 * @property {Kind | null} kind
 * @property {Part[]} missing
 * @property {boolean} isSeries
 * @property {boolean} isDelegate somebody else's calendar
 * @property {AddinError | null} error why it is "unsupported"
 */

/**
 * In the order of the work. "text" is the body; "release" comes only when a room is taken out.
 * @typedef {"guard" | "look" | "token" | "reserve" | "invite" | "text" | "location" | "property" | "release"} StepName
 */

/** @typedef {(step: StepName) => void} OnStep Called as each step begins. */

/**
 * @typedef {object} AddinError
 * @property {TextKey} code key of the text that tells it
 * @property {boolean} retry whether the same may work when it is tried again
 * @property {string} [correlationId] under which the server has written it down
 * @property {number} [retryAfter] seconds
 * @property {string} [detail] a code without private content, for the details
 */

/** @typedef {"added" | "already" | "repaired" | "replaced" | "placeholder" | "removed" | "personal"} DoneState */

/**
 * `warnings` are keys of texts, all "warning.*"; the texts may use {mailbox} (name and address) and {address}.
 * @typedef {{ok: true, state: DoneState, warnings: TextKey[], reservation: Reservation | null}} Done
 */
/** @typedef {{ok: false, step: StepName, error: AddinError}} Failed */
/** @typedef {Done | Failed} Outcome */

/**
 * @typedef {object} AddRequest
 * @property {"vmr" | "personal"} kind
 * @property {string} [roomId] of `personalRooms()`, with kind "personal"
 * @property {boolean} [occurrence] the person wants it for this one meeting of a series
 * @property {boolean} [interactive] whether a window for signing in may open (default: true)
 * @property {OnStep} [onStep]
 */

/** @typedef {{interactive?: boolean, onStep?: OnStep}} RemoveRequest */

/**
 * None of these rejects but `personalRooms`, which throws a `Fault` (fault.js: it is an AddinError). One at a time: a second call waits for the first.
 * Calling `add` or `remove` again after {ok: false} goes on where it stopped, with the same reservation.
 * @typedef {object} Flow
 * @property {() => Promise<MeetingStatus>} inspect without the network
 * @property {(request: AddRequest) => Promise<Outcome>} add
 * @property {(request?: RemoveRequest) => Promise<Outcome>} remove
 * @property {(options?: {interactive?: boolean}) => Promise<PersonalRoom[]>} personalRooms
 * @property {() => Promise<void>} topUp fetches what is kept for bad times; quiet, never opens a window
 */

/* Outlook ------------------------------------------------------------------------------------------------------------------ */

/** @typedef {"appointment-compose" | "appointment-read" | "message-compose" | "message-read" | "none"} ItemKind */
/** @typedef {"html" | "text"} BodyType */
/** @typedef {{displayName: string, emailAddress: string}} Attendee */
/** @typedef {"required" | "optional"} AttendeeField */
/** @typedef {{id: string, type: "room" | "custom", displayName: string, emailAddress: string}} Place */
/** @typedef {"information" | "error" | "progress"} NoticeKind */
/** @typedef {{isDarkTheme?: boolean, bodyBackgroundColor?: string, bodyForegroundColor?: string, controlBackgroundColor?: string, controlForegroundColor?: string}} Theme */

/**
 * Outlook, one call at a time, each within ten seconds. All promises reject with `OfficeFault` (fault.js) alone.
 * @typedef {object} OfficeHost
 * @property {(set: string, name?: string) => boolean} supports such as supports("1.8"), supports("1.1", "NestedAppAuth")
 * @property {() => ItemKind} itemKind
 * @property {() => string} platform "PC", "OfficeOnline", "Mac", "iOS", "Android", "Universal", or ""
 * @property {() => boolean} isMobile
 * @property {() => string} version of the client, "" if not known
 * @property {() => string} highestSet highest Mailbox set supported, such as "1.8"
 * @property {() => string} displayLanguage such as "de-DE"; "en-US" if not known
 * @property {() => Theme | null} theme
 * @property {(onChange: () => void) => void} onThemeChange where the client tells (Mailbox 1.14)
 * @property {() => string} userAddress the signed-in person's address, lower case; "" if not known
 * @property {() => Promise<BodyType>} bodyType
 * @property {(type: BodyType) => Promise<string>} getBody
 * @property {(content: string, type: BodyType) => Promise<void>} setBody
 * @property {() => boolean} hasLocation
 * @property {() => Promise<string>} getLocation
 * @property {(text: string) => Promise<void>} setLocation
 * @property {() => Promise<Place[]>} getPlaces only with supports("1.8")
 * @property {(text: string) => Promise<void>} addPlace a custom one
 * @property {(text: string) => Promise<void>} removePlace a custom one
 * @property {() => boolean} hasAttendees
 * @property {(field: AttendeeField) => Promise<Attendee[]>} getAttendees
 * @property {(field: AttendeeField, who: (Attendee | string)[]) => Promise<void>} addAttendees
 * @property {(field: AttendeeField, who: Attendee[]) => Promise<void>} setAttendees
 * @property {() => Promise<Record<string, unknown> | null>} getProperty our custom property of this item
 * @property {(value: Record<string, unknown> | null) => Promise<void>} setProperty null takes it away
 * @property {() => Promise<boolean | null>} isNewItem null: not known (below Mailbox 1.8)
 * @property {() => boolean} isOccurrence one meeting of a series (Mailbox 1.7; else false)
 * @property {() => Promise<boolean>} isSeries a whole series (Mailbox 1.7; else false)
 * @property {() => Promise<string>} organizerAddress lower case; "" if not known
 * @property {() => Promise<{owner: string} | null>} shared somebody else's calendar, where Outlook tells
 * @property {() => boolean} canNotify
 * @property {(kind: NoticeKind, text: string) => Promise<void>} notify cut to 150 characters; does nothing on phones
 * @property {() => Promise<void>} clearNotice
 * @property {() => boolean} hasSettings
 * @property {(key: string) => unknown} getSetting of the person's own mailbox (roaming settings)
 * @property {(key: string, value: unknown) => Promise<void>} setSetting saved at once
 * @property {() => Promise<string>} exchangeToken rejects where it is empty
 * @property {(options: {interactive: boolean}) => Promise<string>} ssoToken
 * @property {(url: string, options?: {timeout?: number}) => Promise<string>} dialog opens a window, resolves with its first message
 */

/* The rest ----------------------------------------------------------------------------------------------------------------- */

/**
 * @typedef {object} Auth
 * @property {(options?: {interactive?: boolean, force?: boolean}) => Promise<string>} header value of Authorization; rejects with `Fault`
 * @property {() => string[]} diagnostics why which method was passed over, in codes
 */

/** @typedef {{interactive?: boolean}} CallOptions */
/** @typedef {{kind: string, version: string, set: string}} Client which Outlook asks */

/**
 * All reject with `Fault` (fault.js): `fault.unreachable` tells that nobody answered (no network, time-out, 5xx),
 * `fault.gone` why a ticket is of no use any more.
 * @typedef {object} Api
 * @property {(options?: CallOptions) => Promise<void>} authorise makes sure of a token
 * @property {(request: {requestId: string, delegate: boolean, series: boolean, client: Client}, options?: CallOptions) => Promise<Reservation>} reserve
 * @property {(ticket: string, options?: CallOptions) => Promise<Reservation>} refresh
 * @property {(ticket: string, options?: CallOptions) => Promise<void>} release
 * @property {(count: number, options?: CallOptions) => Promise<Ahead>} ahead
 * @property {(options?: CallOptions) => Promise<PersonalRoom[]>} personalRooms
 * @property {(id: string, options?: CallOptions) => Promise<Reservation>} personalInstructions
 * @property {() => Promise<boolean>} isReachable
 */

/**
 * What is kept for the time that nobody answers, in the person's own mailbox or else this browser.
 * @typedef {object} Store
 * @property {(now: number) => number} count reservations that can still be used
 * @property {(now: number) => Promise<Reservation | null>} take one, which is forgotten before it is given
 * @property {(now: number) => Reservation | null} promise the promise; it stays
 * @property {(ahead: Ahead, now: number) => Promise<void>} keep adds to what is there
 * @property {(ticket: string) => boolean} isOwn whether this ticket was put into a meeting from this browser lately
 * @property {(ticket: string) => void} remember that it was
 */

/** @typedef {{at: string, step: string, code: string, ms: number | null}} LogEntry */

/**
 * Codes alone: no texts, addresses, tickets or tokens.
 * @typedef {object} Log
 * @property {(step: string, code: string, ms?: number) => void} add
 * @property {() => LogEntry[]} entries
 * @property {() => string} toText for the person to copy
 */

export {};
