/** @file Elements without a framework, and without HTML in strings. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @param {string} name such as "p" or "p.lead"
 * @param {Record<string, string | boolean | ((event: Event) => void)>} [attributes] `on...` are listeners
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function el(name, attributes = {}, ...children) {
  const [tag = "div", ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice("on".length), value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SIGNS = {
  good: "M4 10.5l4 4 8-9",
  warm: "M10 4v8M10 15.4v.2",
  bad: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  calm: "M10 8.4V16M10 4.6v.2",
  copy: "M7 7h10v10H7zM13 7V3H3v10h4",
};

/**
 * A small drawing that says nothing a text beside it does not say.
 * @param {keyof typeof SIGNS} name
 */
export function sign(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" })) {
    svg.setAttribute(key, value);
  }
  svg.classList.add("sign");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SIGNS[name]);
  svg.append(path);
  return svg;
}

/**
 * Copy a text; where the page may not (Outlook on the web), select it for the person.
 * @param {string} text
 * @param {HTMLElement} shown the element that holds it
 * @returns {Promise<boolean>} whether it is copied
 */
export async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return document.execCommand("copy");
  }
}
