/**
 * @file Finding tickets in text or HTML, whatever a mail client did to them: as the server finds them (meetings/ticket_finder.py).
 *
 * First the places where a prefix may begin, then a bounded look from each of them onwards, which steps over hyphens, spaces,
 * zero-width characters, tags, comments, entities, quotation marks and soft breaks.
 */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PAYLOAD = 40;
const MOST = 64;
const NEAR = 320;
const LONGEST = 4096;
const PLACES = 600;
const EFFORT = 250_000;
const JUDGED = 256;
const SHORTEST = 20;
const LEAST_DIGITS = 3;
const LEAD = "\0";
const OFFLINE = 1;
const PERSONAL = 2;

const QUOTED = /<[A-Z/!?][^<>"']*(?:"[^"<]*"[^<>"']*|'[^'<]*'[^<>"']*)*>/iy;
const BARE = /<[^<>]*>/y;
const ENTITY = /&(?=((?:AMP;)*))\1(?:#X?[0-9A-F]{1,8};|NBSP;?|SHY;?|[0-9A-Z]{2,24};)/iy;
const SOFT = /= +|=(?:20|2D|09|C2=A[0D]|E2=8[0-9A-F]=[0-9A-F]{2}|EF=BB=BF)/iy;
const SIGN = /[0-9A-HJKMNP-TV-Z]/;
const BETWEEN = "- ?>*_|~`";
const OPENERS = `<&=${BETWEEN}`;

/**
 * @typedef {object} FoundTicket
 * @property {string} ticket as it is printed
 * @property {number} start of its prefix in the text
 * @property {number} end behind its last character
 * @property {boolean} isIssued whether it has the build of a ticket (a torn one has not)
 */

/** @typedef {{end: number, mark: number, signs: [number, number] | null}} Read */

/** Upper case, and lookalikes as the digit they resemble. @param {string} text */
export function fold(text) {
  return text.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
}

/** Print a payload behind its prefix in groups of five. @param {string} prefix @param {string} payload */
export function grouped(prefix, payload) {
  return [prefix, ...(payload.match(/.{1,5}/g) ?? [])].join("-");
}

/** The short line with which the block of a ticket begins. @param {string} ticket */
export function markOf(ticket) {
  const groups = ticket.split("-");
  return `${groups[0]}:${groups[groups.length - 1]}`;
}

/**
 * What a ticket promises, from its own options (which nobody has proved genuine here).
 * @param {string} ticket
 * @returns {"vmr" | "personal" | "offline"}
 */
export function kindOf(ticket) {
  const payload = ticket.slice(ticket.indexOf("-") + 1).replace(/-/g, "");
  const options = (ALPHABET.indexOf(payload.charAt(16)) << 3) | (ALPHABET.indexOf(payload.charAt(17)) >> 2);
  if (payload.length !== PAYLOAD) return "vmr";
  if (options & PERSONAL) return "personal";
  return options & OFFLINE ? "offline" : "vmr";
}

/**
 * Every appearance of what looks like a ticket, in order, at most 64.
 * @param {string} text
 * @param {string} prefix
 * @returns {FoundTicket[]}
 */
export function locateTickets(text, prefix) {
  const folded = fold(prefix);
  /** @type {FoundTicket[]} */
  const result = [];
  let left = EFFORT;
  let judged = 0;
  for (const place of placesOf(text, folded)) {
    const look = lookAt(text, place, prefix.toUpperCase(), folded);
    left -= look.effort;
    judged += look.weighed ? 1 : 0;
    if (look.found) result.push(look.found);
    if (result.length === MOST || judged === JUDGED || left < 0) break;
  }
  return result;
}

/** @param {number} code of a character. One sign for each: letters folded, a lead for what a mail client may have put in. */
function coarse(code) {
  const low = code & 0xff;
  if (low === 0x20) return " ";
  if (low < 0x21 || low > 0x7e || (code & 0xf800) === 0xd800) return LEAD;
  const sign = fold(String.fromCharCode(low));
  return "<&=?`".includes(sign) ? LEAD : sign;
}

/** @param {string} text @param {string} prefix folded @returns {number[]} */
function placesOf(text, prefix) {
  const table = Array.from({ length: 256 }, (_, code) => coarse(code));
  const first = prefix.charAt(0);
  const most = [...Array(prefix.length).keys()].map(() => Math.floor(PLACES / (prefix.length - 1)));
  /** @param {number} place */
  const sign = (place) => {
    const code = text.charCodeAt(place);
    return code < 256 ? table[code] : coarse(code);
  };
  let whole = PLACES;
  const places = [];
  for (let place = 0; place < text.length; place += 1) {
    if (sign(place) !== first) continue;
    let length = 1;
    while (length < prefix.length && sign(place + length) === prefix.charAt(length)) length += 1;
    if (length === prefix.length) {
      if (whole > 0) places.push(place);
      whole -= 1;
    } else if (place + length < text.length && sign(place + length) === LEAD) {
      const rest = most[length] ?? 0;
      if (rest > 0) places.push(place);
      most[length] = rest - 1;
    }
  }
  return places;
}

/**
 * @param {string} text @param {number} place @param {string} prefix @param {string} folded
 * @returns {{effort: number, weighed: boolean, found: FoundTicket | null}}
 */
function lookAt(text, place, prefix, folded) {
  let effort = 0;
  for (const width of [NEAR, LONGEST]) {
    const raw = text.slice(place, place + width).replace(/[^\x00-\x7f]/g, "?");
    const fine = fold(raw.replace(/[\t\r\n\v\f]/g, " ").replace(/[\x00-\x1f\x7f]/g, "?"));
    const read = readTicket(fine, folded);
    if (!read) break;
    effort += width === NEAR ? cost(fine.slice(0, read.end + 1)) : 2 * fine.length + cost(fine);
    const [start, end] = read.signs ?? [0, 0];
    const signs = withoutJunk(fine.slice(start, end));
    const payload = [...signs].filter((c) => ALPHABET.includes(c)).join("");
    if (payload.length < PAYLOAD && fine.length === width && goesOn(fine, read)) continue;
    if (payload.length < SHORTEST) break;
    const isIssued = looksIssued(payload);
    const isTyped = read.mark > 0 && looksTyped(signs, withoutJunk(raw.slice(start, end)));
    if (!isTyped && !isIssued) return { effort, weighed: true, found: null };
    return { effort, weighed: true, found: { ticket: grouped(prefix, payload), start: place, end: place + read.end, isIssued } };
  }
  return { effort, weighed: false, found: null };
}

/** Read as far as a ticket can go. @param {string} fine @param {string} prefix @returns {Read | null} */
function readTicket(fine, prefix) {
  if (fine.charAt(0) !== prefix.charAt(0)) return null;
  let place = 1;
  for (const letter of prefix.slice(1)) {
    place = skip(fine, place, "?");
    if (fine.charAt(place) !== letter) return { end: place, mark: 0, signs: null };
    place += 1;
  }
  const marked = skip(fine, place, "?-");
  const mark = marked - place;
  const start = skip(fine, marked, BETWEEN);
  if (!SIGN.test(fine.charAt(start))) return { end: start, mark, signs: [start, start] };
  let end = start + 1;
  for (let count = 1; count < PAYLOAD; count += 1) {
    const next = skip(fine, end, BETWEEN);
    if (!SIGN.test(fine.charAt(next))) break;
    end = next + 1;
  }
  return { end, mark, signs: [start, end] };
}

/** Step over what may stand inside. @param {string} fine @param {number} place @param {string} signs @returns {number} */
function skip(fine, place, signs) {
  for (;;) {
    const c = fine.charAt(place);
    if (c === "") return place;
    const next = signs.includes(c) ? place + 1 : junkEnd(fine, place);
    if (next < 0) return place;
    place = next;
  }
}

/** Where the tag, entity or soft break at a place ends, or -1. @param {string} text @param {number} place @returns {number} */
function junkEnd(text, place) {
  const c = text.charAt(place);
  if (c === "<") {
    const comment = commentEnd(text, place);
    return comment > 0 ? comment : endOf(QUOTED, text, place, endOf(BARE, text, place, -1));
  }
  if (c === "&") return endOf(ENTITY, text, place, -1);
  return c === "=" ? endOf(SOFT, text, place, -1) : -1;
}

/** @param {string} text @param {number} place @returns {number} */
function commentEnd(text, place) {
  if (!text.startsWith("<!--", place)) return -1;
  for (let end = text.indexOf(">", place + 4); end >= 0; end = text.indexOf(">", end + 1)) {
    if (text.startsWith("--", end - 2)) return end + 1;
  }
  return -1;
}

/** @param {RegExp} pattern sticky @param {string} text @param {number} place @param {number} otherwise @returns {number} */
function endOf(pattern, text, place, otherwise) {
  pattern.lastIndex = place;
  return pattern.test(text) ? pattern.lastIndex : otherwise;
}

/** @param {string} text @returns {string} */
function withoutJunk(text) {
  let result = "";
  let place = 0;
  while (place < text.length) {
    const next = junkEnd(text, place);
    if (next < 0) result += text.charAt(place);
    place = next < 0 ? place + 1 : next;
  }
  return result;
}

/** @param {string} done @returns {number} */
function cost(done) {
  return Math.floor(done.length / 2) + 16 * (done.match(/[<>&=]/g) ?? []).length;
}

/** Whether the window ended before the candidate did. @param {string} fine @param {Read} read @returns {boolean} */
function goesOn(fine, { end, signs }) {
  const open = fine.lastIndexOf("<");
  if (end === fine.length || (open >= 0 && open <= end)) return true;
  return signs !== null && OPENERS.includes(fine.charAt(end));
}

/** A known version, and an alias number of at most fifteen digits. @param {string} payload @returns {boolean} */
function looksIssued(payload) {
  if (payload.length !== PAYLOAD) return false;
  const values = [...payload].map((c) => ALPHABET.indexOf(c));
  const number = values.slice(5, 16).reduce((sum, value) => sum * 32 + value, (values[4] ?? 0) & 1);
  return (values[0] ?? 0) >> 1 === 1 && number < 1e15;
}

/** Whether a torn one is no prose: at most one line wrap in it, and some digits. @param {string} signs @param {string} raw */
function looksTyped(signs, raw) {
  const words = signs.replace(/[-?>*_|~`]/g, "").split(" ").filter(Boolean);
  return words.length <= 2 && (raw.match(/[0-9]/g) ?? []).length >= LEAST_DIGITS;
}
