/** Bodies as hosts change them: the text of markup, markup of text, and what Outlook on the web makes of markup. */

const BLOCKS = new Set(["ADDRESS", "BLOCKQUOTE", "DIV", "H1", "H2", "H3", "H4", "H5", "H6", "HR", "LI", "OL", "P", "PRE", "TABLE", "TR", "UL"]);

/** @param {string} html */
const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

const STYLE = /\sstyle\s*=\s*("[^"]*"|'[^']*')/gi;

/** Readable text of markup: lines where blocks end. Styles are left out first: the page's policy forbids them. */
export function textOf(html) {
  const parts = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) parts.push(node.data.replace(/[ \t\r\n]+/g, " "));
    if (node.nodeType !== Node.ELEMENT_NODE || ["SCRIPT", "STYLE", "HEAD"].includes(node.tagName)) return;
    if (node.tagName === "BR") parts.push("\n");
    const isBlock = BLOCKS.has(node.tagName);
    if (isBlock && parts.length && !parts.at(-1).endsWith("\n")) parts.push("\n");
    node.childNodes.forEach(walk);
    if (isBlock && !(parts.at(-1) ?? "").endsWith("\n")) parts.push("\n");
  };
  walk(parsed(html.replace(STYLE, "")).body);
  return parts.join("").split("\n").map((line) => line.trim()).join("\n").replace(/\n{3,}/g, "\n\n").trim();
}

/** Markup that shows a text as it is. */
export function htmlOf(text) {
  const holder = document.createElement("div");
  return text.split("\n").map((line) => {
    holder.textContent = line;
    return `<div>${holder.innerHTML || "<br>"}</div>`;
  }).join("");
}

/**
 * What comes back of markup that was set. "owa" takes out classes, comments and style sheets, renames ids to x_ ids and
 * wraps all in a document of its own; "classic" puts it through Word: classes of Word's, paragraphs for blocks.
 * @param {string} html
 * @param {"owa"|"classic"|undefined} manner
 */
export function rewritten(html, manner) {
  if (!manner) return html;
  const page = parsed(html);
  page.querySelectorAll("script, style, link, meta, title").forEach((one) => one.remove());
  const comments = page.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
  const found = [];
  while (comments.nextNode()) found.push(comments.currentNode);
  found.forEach((one) => one.remove());
  for (const one of page.body.querySelectorAll("*")) {
    one.removeAttribute("class");
    if (one.id && !one.id.startsWith("x_")) one.id = `x_${one.id}`;
    if (manner === "classic" && (one.tagName === "P" || one.tagName === "LI")) one.className = "MsoNormal";
  }
  const inside = page.body.innerHTML;
  if (manner === "classic") {
    return `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>\r\n<meta name="Generator" content="Microsoft Word 15"></head>\r\n` +
      `<body lang="EN-US" link="#0563C1" style="word-wrap:break-word"><div class="WordSection1">${inside}</div></body></html>`;
  }
  return `<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">` +
    `<style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style></head>` +
    `<body dir="ltr"><div class="elementToProof">${inside}</div></body></html>`;
}

/** Put markup or text before all else of the body. */
export function prepended(body, addition) {
  if (body.type === "text") return addition + body.content;
  const at = /<body[^>]*>/i.exec(body.content);
  const place = at ? at.index + at[0].length : 0;
  return body.content.slice(0, place) + addition + body.content.slice(place);
}
