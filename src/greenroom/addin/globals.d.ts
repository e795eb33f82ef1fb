// What the pages' scripts find in the window besides Office.js.

/** The server writes this one line in front of launchevent.js. */
declare var GREENROOM: {
  prefix: string;
  mailbox: { address: string; name: string };
  /** by language ("en", "de", ...), then by key ("send.mailboxMissing") */
  texts: { [language: string]: { [key: string]: string } };
};

interface Window {
  /** early.js: what keeps the calls of buttons until commands.js takes them */
  greenroomCommands?: { take(next: (name: string, event: Office.AddinCommands.Event) => void): void };
}
