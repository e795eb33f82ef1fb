/**
 * @file What is kept for the time that nobody answers: reservations fetched ahead, and the promise. In the person's own mailbox
 * (roaming settings: 32 KB for the add-in), or else in this browser. What was taken is noted in this browser, since another page
 * of the add-in may still hold older settings.
 */

/** @typedef {import("./types.js").Reservation} Reservation */
/** @typedef {{v: 1, reservations: Reservation[], offline: Reservation | null}} Kept */

const MOST = 10;
const LARGEST = 30_000; // bytes, as Outlook writes the text down once more
const MOST_NOTED = 100;
const OWN_FOR = 12 * 3600_000; // milliseconds
const HEADROOM = 3600_000; // one that ends sooner is not given out

/**
 * @param {{office: import("./types.js").OfficeHost, integration: number, storage?: Storage | null, clock?: () => number}} options
 * @returns {import("./types.js").Store}
 */
export function createStore({ office, integration, storage = browserStorage(), clock = Date.now }) {
  const key = `greenroom.${integration}`;
  const noted = { taken: notes(storage, `${key}.taken`, clock), own: notes(storage, `${key}.own`, clock) };

  /** @param {number} now @returns {Kept} */
  function load(now) {
    const kept = parsed(office.hasSettings() ? office.getSetting(key) : read(storage, key));
    const isGood = (/** @type {Reservation} */ one) => isReservation(one) && !isOver(one, now);
    const reservations = kept.reservations.filter((one) => isGood(one) && !noted.taken.has(one.ticket));
    return { v: 1, reservations, offline: kept.offline && isGood(kept.offline) ? kept.offline : null };
  }

  /** @param {Kept} kept */
  async function save(kept) {
    const reservations = kept.reservations.slice(0, MOST);
    let text = JSON.stringify({ ...kept, reservations });
    while (bytesOf(text) > LARGEST && reservations.pop()) text = JSON.stringify({ ...kept, reservations });
    if (office.hasSettings()) await office.setSetting(key, text);
    else write(storage, key, text);
  }

  return {
    count: (now) => load(now).reservations.length,
    async take(now) {
      const kept = load(now);
      const first = kept.reservations.shift();
      if (!first) return null;
      noted.taken.add(first.ticket);
      try {
        await save(kept);
      } catch {
        if (!storage) return null; // it cannot be forgotten for sure: better not to give it out twice
      }
      return first;
    },
    promise: (now) => load(now).offline,
    async keep(ahead, now) {
      const { reservations } = load(now);
      const known = new Set(reservations.map(({ ticket }) => ticket));
      await save({ v: 1, reservations: [...reservations, ...ahead.reservations.filter(({ ticket }) => !known.has(ticket))], offline: ahead.offline });
    },
    isOwn: (ticket) => noted.own.has(ticket),
    remember: (ticket) => noted.own.add(ticket),
  };
}

/** @param {string} text */
const bytesOf = (text) => new TextEncoder().encode(JSON.stringify(text)).length;

/** @param {unknown} value @returns {Kept} */
function parsed(value) {
  try {
    const kept = typeof value === "string" ? JSON.parse(value) : null;
    if (kept?.v === 1 && Array.isArray(kept.reservations)) return kept;
  } catch {
    // Written by something else: as good as nothing.
  }
  return { v: 1, reservations: [], offline: null };
}

/** @param {Reservation | null | undefined} one */
function isReservation(one) {
  return [one?.ticket, one?.html, one?.text, one?.location].every((text) => typeof text === "string");
}

/** @param {Reservation} one @param {number} now */
function isOver({ expires_at: end }, now) {
  return end !== null && !(Date.parse(end) - HEADROOM > now);
}

/**
 * Tickets, by their last groups alone, each with its time; in this page and, where that can be, in this browser.
 * @param {Storage | null} storage @param {string} key @param {() => number} clock
 */
function notes(storage, key, clock) {
  /** @type {Map<string, number>} */
  const here = new Map();
  const all = () => {
    try {
      const kept = JSON.parse(read(storage, key) ?? "[]");
      return new Map([...(Array.isArray(kept) ? kept : []), ...here]);
    } catch {
      return new Map(here);
    }
  };
  return {
    /** @param {string} ticket */
    add(ticket) {
      here.set(ticket.slice(-11), clock());
      write(storage, key, JSON.stringify([...all()].slice(-MOST_NOTED)));
    },
    /** @param {string} ticket */
    has(ticket) {
      const at = all().get(ticket.slice(-11));
      return typeof at === "number" && at > clock() - (key.endsWith(".own") ? OWN_FOR : Infinity);
    },
  };
}

/** @returns {Storage | null} */
function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null; // shut off in frames
  }
}

/** @param {Storage | null} storage @param {string} key @returns {string | null} */
function read(storage, key) {
  try {
    return storage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

/** @param {Storage | null} storage @param {string} key @param {string} text */
function write(storage, key, text) {
  try {
    storage?.setItem(key, text);
  } catch {
    // Full or shut off: then it is not kept.
  }
}
