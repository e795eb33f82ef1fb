/** @file The page's words: texts of one language, with what is put into their braces. */

/**
 * @callback Say
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */

/**
 * @param {Record<string, string>} texts
 * @param {Record<string, string>} [always] values that every text may use
 * @returns {Say}
 */
export function createStrings(texts, always = {}) {
  return (key, values = {}) => {
    const known = { ...always, ...values };
    const text = texts[key] ?? key;
    return text.replace(/\{([A-Za-z]+)\}/g, (whole, name) => (name in known ? String(known[name]) : whole));
  };
}

/**
 * The texts that the server chose, and their language.
 * @param {import("./types.js").Config} config
 * @returns {{language: string, texts: Record<string, string>}}
 */
export function chosen(config) {
  const [language, texts] = Object.entries(config.texts)[0] ?? ["en", {}];
  return { language: language === "no" ? "nb" : language, texts };
}

/**
 * The words of a page, as its configuration has them. Marks the page with their language.
 * @param {import("./types.js").Config} config
 * @returns {{say: Say, language: string}}
 */
export function wordsOf(config) {
  const { language, texts } = chosen(config);
  const { address, name } = config.mailbox;
  document.documentElement.lang = language;
  const mailbox = name && name !== address ? `${name} (${address})` : address;
  const names = { button: texts["manifest.button"] ?? "", pane: texts["manifest.pane"] ?? "" };
  return { say: createStrings(texts, { mailbox, address, ...names }), language };
}
