// The check when a meeting is sent. Some clients run this file without a page, in an engine that knows no newer language
// than ES5 and refuses the conditional operator: hence the old style. No network, no document, no imports.
//
// The server writes one line in front of it:
//   var GREENROOM = {"prefix":"GRM","mailbox":{"address":"...","name":"..."},"texts":{"en":{"send.mailboxMissing":"..."},...}};
