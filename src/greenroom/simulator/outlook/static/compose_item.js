/** The composer's form as the item that an add-in sees; see the typedef Item in office_answers.js. */

import { readPeople, writtenPeople } from "./compose_people.js";
import { localOf, momentOf } from "./compose_time.js";

/**
 * The body in its editor, a page in which no script can run. What was set as markup is read back letter by letter until
 * somebody types; then it is what the editor made of it.
 */
export function createBody(frame, field) {
  const inside = () => frame.contentDocument.body;
  let given = field.value, shown;
  const show = () => {
    const page = new frame.contentWindow.DOMParser().parseFromString(given, "text/html"); // under the editor's policy
    inside().replaceChildren(...frame.contentDocument.importNode(page.body, true).childNodes);
    shown = inside().innerHTML;
  };
  show();
  const wasTyped = () => inside().innerHTML !== shown;
  let isSet = "edited" in field.dataset;
  return {
    get content() {
      if (wasTyped()) {
        shown = inside().innerHTML;
        given = `<html><body>\n${shown}\n</body></html>`;
        isSet = true;
      }
      return given;
    },
    set content(html) {
      given = html;
      isSet = true;
      show();
    },
    /** Put the body into its hidden field, if it is another than the page came with. */
    keep() {
      field.value = this.content;
      field.disabled = !isSet;
    },
  };
}

/** @returns {import("./office_answers.js").Item} */
export function createItem({ form, body, told, onNotices }) {
  const fields = form.elements;
  const directory = new Map([...document.querySelectorAll("#directory option")].map((one) => [one.value.toLowerCase(), one.textContent]));
  const input = (name) => ({ get: () => fields[name].value, set: (value) => { fields[name].value = value; }, enumerable: true });
  const people = (name) => ({
    get: () => readPeople(fields[name].value, directory)[0],
    set: (list) => {
      const [, others] = readPeople(fields[name].value, directory);
      fields[name].value = writtenPeople(list, others, directory);
      const folded = fields[name].closest("details");
      if (folded && fields[name].value) folded.open = true;
    },
    enumerable: true,
  });
  const time = (which) => ({
    get: () => momentOf(fields[`${which}_date`].value, fields[`${which}_time`].value, fields.zone.value),
    set: (iso) => { [fields[`${which}_date`].value, fields[`${which}_time`].value] = localOf(iso, fields.zone.value); },
    enumerable: true,
  });
  let notifications = [];
  const item = {
    rooms: [],
    seriesId: null,
    itemId: told.itemId,
    shared: null,
    customProperties: JSON.parse(fields.remembered.value || "null") ?? told.customProperties,
  };
  return Object.defineProperties(item, {
    subject: input("subject"),
    location: input("location"),
    required: people("attendees"),
    optional: people("optional"),
    start: time("start"),
    end: time("end"),
    body: { get: () => ({ type: "html", content: body.content }), set: ({ content }) => { body.content = content; }, enumerable: true },
    recurrence: {
      get: () => (fields.repeat.value === "none" ? null : { recurrenceType: fields.repeat.value === "weekly" ? "weekly" : "daily" }),
      enumerable: true,
    },
    notifications: {
      get: () => notifications,
      set: (list) => {
        notifications = list;
        onNotices(list);
      },
      enumerable: true,
    },
  });
}
