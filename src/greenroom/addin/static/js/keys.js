/** @file The keys of all texts that the flow and what lies below it ask for. Each stands in every `texts/<language>.json`. */

export const ERRORS = /** @type {const} */ ([
  "error.notAppointment", // a message, or nothing at all is open
  "error.readOnly", // a meeting that is only being read
  "error.occurrence", // one meeting of a series
  "error.outlookFailed", // Outlook refused or did not answer
  "error.bodyTooLong",
  "error.noSignIn", // no way to sign in works in this Outlook
  "error.signInNeeded", // a window must open, and may not from here: open the pane
  "error.signInCancelled",
  "error.signInFailed",
  "error.tokenRefused",
  "error.notAllowed",
  "error.invalidRequest",
  "error.tooMany",
  "error.tooManyUnclaimed",
  "error.ticketGone",
  "error.noSuchRoom",
  "error.noSuchIntegration",
  "error.unreachable", // and nothing was kept for that: invite {address} and send, or try later
  "error.unexpectedAnswer",
]);

export const WARNINGS = /** @type {const} */ ([
  "warning.addMailboxYourself", // {mailbox} could not be invited
  "warning.removeMailboxYourself",
  "warning.attendeesUnavailable", // Outlook does not let us see the attendees: save, close and open again, or invite {mailbox}
  "warning.locationUnavailable",
  "warning.locationTooLong",
  "warning.locationFailed",
  "warning.textLeft", // part of the old text stays: delete it by hand
  "warning.notReleased",
  "warning.notRefreshed", // nobody answered, what is there stays as it is
  "warning.offlineReserved", // nobody answered; a room kept for that was taken
  "warning.offlinePlaceholder", // nobody answered; the text follows
]);

/** For the send check: launchevent.js. At most 500 characters each; {mailbox} is name and address. */
export const SEND_CHECK = /** @type {const} */ (["send.mailboxMissing"]);

/** @typedef {(typeof ERRORS)[number] | (typeof WARNINGS)[number]} TextKey */
