/** @file Light or dark as Outlook itself is, where it tells; else as the computer is (the style sheet's own doing). */

/**
 * @param {string | undefined} colour "#rrggbb"
 * @returns {number | null} 0 (black) to 255
 */
function brightness(colour) {
  const parts = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour ?? "");
  if (!parts) return null;
  const [red, green, blue] = parts.slice(1).map((part) => parseInt(part, 16));
  return 0.299 * Number(red) + 0.587 * Number(green) + 0.114 * Number(blue);
}

/**
 * @param {import("./types.js").Theme | null} theme
 * @returns {"light" | "dark" | null} null: Outlook does not tell
 */
export function schemeOf(theme) {
  if (!theme) return null;
  const ground = brightness(theme.bodyBackgroundColor);
  const dark = theme.isDarkTheme ?? (ground === null ? null : ground < 128);
  return dark === null ? null : dark ? "dark" : "light";
}

/**
 * Follow Outlook's theme for as long as the page lives.
 * @param {import("./types.js").OfficeHost} office
 */
export function followTheme(office) {
  const apply = () => {
    const scheme = schemeOf(office.theme());
    if (scheme) document.documentElement.dataset.theme = scheme;
    else delete document.documentElement.dataset.theme;
  };
  apply();
  office.onThemeChange(apply);
}
