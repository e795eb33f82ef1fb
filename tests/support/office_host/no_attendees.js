
;(() => {
  // Appended to Office.js: the item as classic Outlook gives it for a meeting made from a mail (office-js issue 5365).
  const missing = new Set(["requiredAttendees", "location"]);
  let shown;
  Object.defineProperty(OSF.DDA.OutlookAppOm.prototype, "item", {
    get: () => shown,
    set: (item) => {
      shown = item && Object.create(item, Object.fromEntries([...missing].map((name) => [name, { value: undefined, enumerable: true }])));
    },
  });
})();
