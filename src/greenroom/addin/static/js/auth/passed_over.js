/** @file What every way of signing in has in common. */

/**
 * - "needs-person": a window must open; "cancelled": the person closed it; "no-network": nobody answered; "failed": anything else.
 * @typedef {"needs-person" | "cancelled" | "no-network" | "failed"} SignInOutcome
 */
/** @typedef {{header: string, until: number | null}} Token value of Authorization, and when it ends (milliseconds since 1970) if known */

/**
 * A way to sign in. `token` rejects with a `PassedOver`.
 * @typedef {object} Method
 * @property {string} kind
 * @property {() => boolean} isUsable whether this Outlook has what it needs
 * @property {(options: {interactive: boolean, force: boolean}) => Promise<Token>} token
 */

/** Why a way of signing in gave no token, in a code. */
export class PassedOver extends Error {
  /** @param {SignInOutcome} outcome @param {string} code @param {{correlationId?: string}} [more] */
  constructor(outcome, code, more = {}) {
    super(code);
    this.name = "PassedOver";
    this.outcome = outcome;
    this.code = code;
    this.correlationId = more.correlationId;
  }
}

/** @param {SignInOutcome} outcome @param {string} code @param {{correlationId?: string}} [more] */
export const passedOver = (outcome, code, more) => new PassedOver(outcome, code, more);
