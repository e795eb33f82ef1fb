"use strict";
/*
 * A classic script right behind Office.js: Outlook may call a button's function before the modules that do it have come. It keeps
 * the call until commands.js takes it; if that never comes, Outlook is told that nothing more will.
 */
(() => {
  const LONGEST = 45_000; // a phone waits a minute
  /** @type {Map<Office.AddinCommands.Event, [string, ReturnType<typeof setTimeout>]>} */
  const waiting = new Map();
  /** @type {((name: string, event: Office.AddinCommands.Event) => void) | null} */
  let taker = null;

  window.greenroomCommands = {
    take(next) {
      taker = next;
      for (const [event, [name, late]] of waiting) {
        clearTimeout(late);
        next(name, event);
      }
      waiting.clear();
    },
  };

  /** @param {string} name */
  const keep = (name) => /** @param {Office.AddinCommands.Event} event */ (event) => {
    if (taker) {
      taker(name, event);
      return;
    }
    const late = setTimeout(() => {
      waiting.delete(event);
      event.completed({ allowEvent: true });
    }, LONGEST);
    waiting.set(event, [name, late]);
  };

  if (typeof Office === "undefined") return;
  for (const name of ["addRoom", "addRoomMobile"]) Office.actions.associate(name, keep(name));
})();
