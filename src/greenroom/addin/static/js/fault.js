/** @file The two errors that the modules throw. Neither carries private content. */

/** @typedef {import("./keys.js").TextKey} TextKey */

/** What the person is told: `code` is the key of a text. It has the shape of an AddinError. */
export class Fault extends Error {
  /**
   * @param {TextKey} code
   * @param {{retry?: boolean, correlationId?: string, retryAfter?: number, detail?: string, unreachable?: boolean, gone?: string, status?: number}} [more]
   */
  constructor(code, more = {}) {
    super(code);
    this.name = "Fault";
    this.code = code;
    this.retry = more.retry ?? false;
    this.correlationId = more.correlationId;
    this.retryAfter = more.retryAfter;
    this.detail = more.detail;
    /** Whether nobody answered. */
    this.unreachable = more.unreachable ?? false;
    /** Why a ticket is of no use any more: "released", "taken", "deleted", "invalid", "other-kind". */
    this.gone = more.gone ?? null;
    this.status = more.status ?? 0;
  }
}

/** Outlook did not do what it was asked for. */
export class OfficeFault extends Error {
  /**
   * @param {string} call name of the call
   * @param {string} reason "threw", "failed", "timeout", "missing", "empty"
   * @param {number | null} code Outlook's own number, where it gave one
   */
  constructor(call, reason, code = null) {
    super(code === null ? `${call}:${reason}` : `${call}:${reason}:${code}`);
    this.name = "OfficeFault";
    this.call = call;
    this.reason = reason;
    this.code = code;
  }
}
