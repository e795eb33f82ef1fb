/** @file The location of a meeting as one text: our part in it, separated by "; ", and nobody else's. At most 255 characters. */

import { decoded } from "./blocks.js";

export const LONGEST_LOCATION = 255;

/** Whether a text is a part of the location. @param {string} location @param {string} text */
export function hasPart(location, text) {
  return text !== "" && location.includes(text);
}

/**
 * Append a text unless it is there. Where it does not fit, the location stays as it is (`fits` is false).
 * @param {string} location @param {string} text @returns {{location: string, fits: boolean}}
 */
export function withPart(location, text) {
  if (!text || hasPart(location, text)) return { location, fits: true };
  const result = location.trim() ? `${location.replace(/\s+$/, "").replace(/;+$/, "")}; ${text}` : text;
  return result.length <= LONGEST_LOCATION ? { location: result, fits: true } : { location, fits: false };
}

/**
 * Take a text out, with one of the semicolons beside it, where it stands as a part of its own.
 * @param {string} location @param {string} text @returns {string}
 */
export function withoutPart(location, text) {
  for (let at = text ? location.indexOf(text) : -1; at >= 0; at = location.indexOf(text, at + 1)) {
    const before = location.slice(0, at);
    const behind = location.slice(at + text.length);
    if (!/(?:^|;)\s*$/.test(before) || !/^\s*(?:;|$)/.test(behind)) continue;
    if (before.trim()) return before.replace(/;\s*$/, "") + behind;
    return behind.replace(/^\s*;\s*/, "");
  }
  return location;
}

/**
 * The parts that our block says too, for the case that nothing else tells what we put in: addresses and long numbers only.
 * @param {string} location @param {string} block @returns {string[]}
 */
export function partsSaidIn(location, block) {
  const said = decoded(block);
  const parts = location.split(";").map((part) => part.trim());
  return parts.filter((part) => (/:\/\/|@/.test(part) || /\d{6}/.test(part)) && part.length >= 6 && said.includes(part));
}
