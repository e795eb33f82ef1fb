/**
 * @file Our block in the organizer's text: found by what it says, put in, exchanged and taken out by cutting the string.
 * The rest of the body is never parsed and written again. As the server does it (meetings/instructions.py).
 *
 * A block begins with its mark ("GRM:RQ81G") and ends with its ticket. In plain text it stands between two rules of 64 underscores.
 */

import { Outline, LONGEST_BLANK, isBlank } from "./outline.js";
import { kindOf, locateTickets, markOf } from "./tickets.js";

/** @typedef {import("./types.js").BodyType} BodyType */
/** @typedef {import("./types.js").Kind} Kind */
/** @typedef {{start: number, end: number}} Range */

/**
 * @typedef {object} Block
 * @property {string} ticket
 * @property {Kind} kind
 * @property {boolean} isIssued whether the ticket is whole
 * @property {Range} place of the ticket
 * @property {Range | null} mark
 * @property {Range | null} span of the whole block, where both its ends are certain
 */

/** @typedef {{body: string, left: number}} Edited `left`: blocks of which only mark and ticket could be taken out, if anything. */

const LONGEST_BLOCK = 131_072;
const RULE_LENGTH = 64;
const TABLE_PARTS = new Set(["td", "tr", "tbody", "table"]);
const BODY_END = /<!--|-->|<\/(?:body|html)\s{0,40}>/gi;
const BETWEEN_HTML = "<br>\r\n";
const BEHIND_HTML = "\r\n";
const BELOW_HTML = "\r\n<br>\r\n";

/** @param {string} body @param {string} prefix @param {BodyType} type @returns {Block[]} */
export function findBlocks(body, prefix, type) {
  const found = locateTickets(body, prefix);
  const outline = type === "html" && found.length > 0 ? new Outline(body) : null;
  /** @type {Map<string, number>} */
  const ends = new Map();
  return found.map(({ ticket, start, end, isIssued }) => {
    const marks = placesOf(body, markOf(ticket), ends.get(ticket) ?? 0, start);
    ends.set(ticket, end);
    const mark = marks.length === 1 ? marks[0] ?? null : null;
    const span = mark && end - mark.start <= LONGEST_BLOCK ? spanOf(body, outline, mark.start, end) : null;
    return { ticket, kind: kindOf(ticket), isIssued, place: { start, end }, mark, span };
  });
}

/** The block that counts: the first whose ticket is whole, as the server reads it, else the first. @param {Block[]} blocks */
export function mainBlock(blocks) {
  return blocks.find((block) => block.isIssued) ?? blocks[0] ?? null;
}

/**
 * @param {string} body @param {string} block @param {"end" | "top"} place @param {BodyType} type
 * @returns {string}
 */
export function insertBlock(body, block, place, type) {
  const top = place === "top";
  if (type === "text") return top ? `${block}\n\n${body}` : `${body}\n\n${block}\n`;
  const at = top ? contentStart(body) : contentEnd(body);
  const [before, behind] = [body.slice(0, at), body.slice(at)];
  return top ? before + block + BELOW_HTML + behind : before + BETWEEN_HTML + block + BEHIND_HTML + behind;
}

/**
 * Put a block where that of an older ticket stands. Where this is not certain, the old ticket goes and the block is put in anew.
 * @param {string} body @param {string} prefix @param {string} oldTicket @param {string} block @param {"end" | "top"} place @param {BodyType} type
 * @returns {Edited}
 */
export function replaceBlock(body, prefix, oldTicket, block, place, type) {
  const first = findBlocks(body, prefix, type).find((one) => one.ticket === oldTicket);
  if (!first?.span) {
    const rest = removeBlocks(body, prefix, [oldTicket], type);
    return { body: insertBlock(rest.body, block, place, type), left: rest.left };
  }
  const { start, end } = first.span;
  const behind = removeBlocks(body.slice(end), prefix, [oldTicket], type);
  return { body: body.slice(0, start) + block + behind.body, left: behind.left };
}

/**
 * Take out the blocks of these tickets, with the blank lines that came with them. Of one whose ends are not certain go its mark and its ticket.
 * @param {string} body @param {string} prefix @param {string[]} tickets @param {BodyType} type
 * @returns {Edited}
 */
export function removeBlocks(body, prefix, tickets, type) {
  let left = 0;
  const blocks = findBlocks(body, prefix, type).filter((block) => tickets.includes(block.ticket));
  for (const block of blocks.reverse()) {
    if (block.span) {
      const { start, end } = withSpacing(body, block.span, type);
      body = body.slice(0, start) + body.slice(end);
    } else {
      left += 1;
      body = withoutPlain(withoutPlain(body, block.place), block.mark);
    }
  }
  return { body, left };
}

/** What a block says, however it is marked up. @param {string} content @param {BodyType} type @returns {string} */
export function visibleText(content, type) {
  const text = type === "text" ? content : decoded(content.replace(/<!--[^<>]*-->|<[^<>]*>/g, " "));
  return text.replace(/_{5,}/g, " ").replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, "").replace(/\s+/g, "");
}

/** @param {string} html @returns {string} */
export function decoded(html) {
  /** @type {Record<string, string>} */
  const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", shy: "\u00ad", zwnj: "\u200c" };
  return html.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : Number.parseInt(hex ?? "", 16);
    if (name) return named[name.toLowerCase()] ?? whole;
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** @param {string} body @param {string} sought @param {number} from @param {number} to @returns {Range[]} */
function placesOf(body, sought, from, to) {
  const places = [];
  for (let at = body.indexOf(sought, from); at >= 0 && at + sought.length <= to; at = body.indexOf(sought, at + 1)) {
    places.push({ start: at, end: at + sought.length });
  }
  return places;
}

/** @param {string} body @param {Outline | null} outline @param {number} first @param {number} last @returns {Range | null} */
function spanOf(body, outline, first, last) {
  const rules = rulesAround(body, first, last);
  if (!outline) return rules ?? { start: first, end: last };
  const withRules = rules && spanBetween(body, outline, rules.start, rules.end);
  return withRules ?? spanBetween(body, outline, first, last);
}

/** @param {string} body @param {number} first @param {number} last @returns {Range | null} */
function rulesAround(body, first, last) {
  const from = Math.max(0, first - LONGEST_BLANK);
  const before = rules(body.slice(from, first)).pop();
  const behind = rules(body.slice(last, last + LONGEST_BLANK))[0];
  if (before === undefined || behind === undefined) return null;
  const [start, end] = [from + before, last + behind];
  if (!isBlank(body.slice(start + RULE_LENGTH, first)) || !isBlank(body.slice(last, end))) return null;
  return { start, end: end + RULE_LENGTH };
}

/** @param {string} text @returns {number[]} */
function rules(text) {
  return [...text.matchAll(/_+/g)].filter((match) => match[0].length === RULE_LENGTH).map((match) => match.index ?? 0);
}

/** @param {string} body @param {Outline} outline @param {number} first @param {number} last @returns {Range | null} */
function spanBetween(body, outline, first, last) {
  let span = outline.spanOfChildren(first, last);
  if (!span || !isBlank(body.slice(span.start, first)) || !isBlank(body.slice(last, span.end))) return null;
  for (let parent = span.parent; parent && TABLE_PARTS.has(parent.name) && parent.end >= 0; parent = span.parent) {
    if (!isBlank(body.slice(parent.content, span.start)) || !isBlank(body.slice(span.end, parent.contentEnd))) break;
    span = { start: parent.start, end: parent.end, parent: parent.parent };
  }
  return outline.isWhole(span) ? { start: span.start, end: span.end } : null;
}

/** The blank lines that `insertBlock` put around the block, where they still are. @param {string} body @param {Range} span @param {BodyType} type */
function withSpacing(body, { start, end }, type) {
  const [before, behind] = [body.slice(0, start), body.slice(end, end + 16)];
  const above = (type === "text" ? /(?:\r\n\r\n|\n\n)$/ : /<br>(?:\r?\n)?$/i).exec(before.slice(-16));
  const below = (type === "text" ? /^(?:\r?\n){2}/ : /^\r?\n<br>(?:\r?\n)?/i).exec(behind);
  if (above) return { start: start - above[0].length, end: end + (/^\r?\n/.exec(behind)?.[0].length ?? 0) };
  return { start, end: end + (below?.[0].length ?? 0) };
}

/** @param {string} body @param {Range | null} range @returns {string} */
function withoutPlain(body, range) {
  if (!range || body.slice(range.start, range.end).includes("<")) return body;
  return body.slice(0, range.start) + body.slice(range.end);
}

/** Before the last closing body tag outside a comment, else the html tag, else the very end. @param {string} body @returns {number} */
function contentEnd(body) {
  let inComment = false;
  let [bodyEnd, htmlEnd] = [-1, -1];
  const lastCommentEnd = body.lastIndexOf("-->");
  for (const match of body.matchAll(BODY_END)) {
    const at = match.index ?? 0;
    if (match[0] === "<!--") inComment = at + 4 <= lastCommentEnd;
    else if (match[0] === "-->") inComment = false;
    else if (!inComment && match[0].toLowerCase().includes("body")) bodyEnd = at;
    else if (!inComment) htmlEnd = at;
  }
  if (bodyEnd >= 0) return bodyEnd;
  return htmlEnd >= 0 ? htmlEnd : body.length;
}

/** Behind the opening body tag outside a comment, else the very beginning of what has no page around it. @param {string} body @returns {number} */
function contentStart(body) {
  const outline = new Outline(body);
  const element = outline.elements.find(({ name }) => name === "body");
  if (element) return element.content;
  const head = outline.elements.find(({ name, end }) => name === "head" && end >= 0);
  return head?.end ?? outline.elements.find(({ name }) => name === "html")?.content ?? 0;
}
