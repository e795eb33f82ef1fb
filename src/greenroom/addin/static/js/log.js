/** @file What happened, in codes: for the person to copy when something fails. No texts, addresses, tickets or tokens. */

const MOST = 200;
const CODE = /[^A-Za-z0-9._:-]/g;

/** @param {() => Date} [clock] @returns {import("./types.js").Log} */
export function createLog(clock = () => new Date()) {
  /** @type {import("./types.js").LogEntry[]} */
  const entries = [];
  return {
    add(step, code, ms) {
      entries.push({ at: clock().toISOString(), step: tidy(step), code: tidy(code), ms: ms === undefined ? null : Math.round(ms) });
      if (entries.length > MOST) entries.shift();
    },
    entries: () => [...entries],
    toText: () => entries.map(({ at, step, code, ms }) => [at, step, code, ms === null ? "" : `${ms} ms`].join(" ").trim()).join("\n"),
  };
}

/** A code has no spaces; what has is no code. @param {string} text @returns {string} */
function tidy(text) {
  return text.replace(CODE, "_").slice(0, 80);
}
