
;(() => {
  // Appended to Office.js: the item as classic Outlook gives it for a meeting made from a mail (office-js issue 5365).
  const missing = { requiredAttendees: { value: undefined }, location: { value: undefined } };
  let kind = OSF.DDA.OutlookAppOm;
  const shown = new WeakMap();
  Object.defineProperty(OSF.DDA, "OutlookAppOm", {
    get: () => kind,
    set: (made) => {
      kind = made;
      Object.defineProperty(made.prototype, "item", {
        get() { return shown.get(this); },
        set(item) { shown.set(this, item && Object.create(item, missing)); },
      });
    },
  });
})();
