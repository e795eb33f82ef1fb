/** @file Calls of Office.js as promises: one at a time, each within its time, whatever way it fails. */

import { OfficeFault } from "./fault.js";

/** @typedef {{status: any, value?: any, error?: any}} AsyncResult what Office.js hands to its callbacks */
/** @typedef {(done: (result: any) => void) => void} Start */
/** @typedef {<T>(name: string, start: Start) => Promise<T>} Call */
/** @typedef {(name: string, run: () => Promise<any>, timeout?: number) => Promise<any>} Queue */
/** What rings when the time is over; it gives what stops it. @typedef {(ring: () => void, ms: number) => () => void} Alarm */

/**
 * Outlook on the web allows three calls at once and mixes up some; so they wait for one another.
 * A call that does not answer in time is given up; what it says later is not heard.
 * @param {{timeout: number, log?: import("./types.js").Log, alarm?: Alarm}} options timeout in milliseconds
 */
export function createCalls({ timeout, log, alarm = clockAlarm }) {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();

  /** @type {Queue} */
  const queue = (name, run, within = timeout) => {
    const result = last.then(async () => {
      const start = Date.now();
      try {
        const value = await inTime(name, run, within, alarm);
        log?.add(`office.${name}`, "ok", Date.now() - start);
        return value;
      } catch (error) {
        const fault = error instanceof OfficeFault ? error : new OfficeFault(name, "threw", codeOf(error));
        log?.add(`office.${name}`, fault.message.slice(name.length + 1), Date.now() - start);
        throw fault;
      }
    });
    last = result.catch(() => undefined);
    return result;
  };

  /** @type {Call} */
  const call = (name, start) => queue(name, () => new Promise((resolve, reject) => start((result) => settle(name, result, resolve, reject))));

  return { call, queue };
}

/** @param {string} name @param {() => Promise<any>} run @param {number} timeout @param {Alarm} alarm @returns {Promise<any>} */
function inTime(name, run, timeout, alarm) {
  return new Promise((resolve, reject) => {
    const stop = alarm(() => reject(new OfficeFault(name, "timeout")), timeout);
    const settled = Promise.resolve().then(run); // also catches what is thrown at once
    settled.then(resolve, reject).finally(stop);
  });
}

/** @type {Alarm} */
function clockAlarm(ring, ms) {
  const timer = setTimeout(ring, ms);
  return () => clearTimeout(timer);
}

/** @param {string} name @param {any} result @param {(value: any) => void} resolve @param {(fault: OfficeFault) => void} reject */
function settle(name, result, resolve, reject) {
  if (result?.status === "succeeded" || result?.status === 0) resolve(result.value);
  else reject(new OfficeFault(name, "failed", codeOf(result?.error)));
}

/** Outlook's number of an error, never its text. @param {any} error @returns {number | null} */
function codeOf(error) {
  return typeof error?.code === "number" ? error.code : null;
}
