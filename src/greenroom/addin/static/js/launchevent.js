// The check when a meeting is sent: one that has a room must invite the mailbox that stands for it. What is missing is added; where
// that does not work, the person is told. Whatever goes wrong here lets the meeting go: the service repairs what it can.
//
// Some clients run this file without a page, in an engine that knows no newer language than ES5 and refuses the conditional
// operator: hence the old style. No network, no document, no imports.
//
// The server writes one line in front of it:
//   var GREENROOM = {"prefix":"GRM","mailbox":{"address":"...","name":"..."},"texts":{"en":{"send.mailboxMissing":"..."},...}};
(function () {
  var ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  var PATIENCE = 15000;
  var PERSONAL = 2;
  var LONGEST = 500;
  /** @type {{[language: string]: string}} */
  var ALSO = { nb: "no", nn: "no" }; // what Outlook calls the kinds of Norwegian

  function fold(/** @type {string} */ text) {
    return text.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
  }

  // The payload of the first ticket in a text, or "". Between its signs may stand what mail clients put there.
  function payloadIn(/** @type {string} */ text) {
    var sign = "[0-9A-HJKMNP-TV-Z]";
    var pattern = new RegExp(fold(GREENROOM.prefix) + "[^0-9A-Z]{1,6}([23](?:[^0-9A-Z]{0,6}" + sign + "){39})");
    var match = pattern.exec(fold(text));
    if (!match) {
      return "";
    }
    return String(match[1]).replace(/[^0-9A-Z]/g, "");
  }

  function needsMailbox(/** @type {string} */ text) {
    var payload = payloadIn(text);
    if (!payload) {
      return false;
    }
    var options = (ALPHABET.indexOf(payload.charAt(16)) << 3) | (ALPHABET.indexOf(payload.charAt(17)) >> 2);
    return (options & PERSONAL) === 0;
  }

  function includesMailbox(/** @type {{emailAddress: string}[]} */ people) {
    var wanted = GREENROOM.mailbox.address.toLowerCase();
    return people.some(function (person) {
      return String(person.emailAddress).toLowerCase() === wanted;
    });
  }

  function message() {
    var mailbox = GREENROOM.mailbox;
    var tag = String(Office.context.displayLanguage || "en");
    var language = String(tag.toLowerCase().split("-")[0]);
    var all = GREENROOM.texts;
    var texts = all[tag] || all[language] || all[String(ALSO[language])] || all.en || {};
    var text = texts["send.mailboxMissing"] || "Please invite {mailbox}, or this meeting gets no video room.";
    var named = mailbox.address;
    if (mailbox.name) {
      named = mailbox.name + " (" + mailbox.address + ")";
    }
    return text.split("{mailbox}").join(named).split("{address}").join(mailbox.address).substring(0, LONGEST);
  }

  /** @param {any} event */
  function onSend(event) {
    var isDone = false;

    function finish(/** @type {any} */ answer) {
      if (!isDone) {
        isDone = true;
        event.completed(answer);
      }
    }

    function allow() {
      finish({ allowEvent: true });
    }

    // Calls `next` with what Outlook answers; lets the meeting go if it does not.
    function ask(/** @type {(done: (result: any) => void) => void} */ start, /** @type {(value: any) => void} */ next) {
      try {
        start(function (result) {
          try {
            if (result && result.status === "succeeded") {
              next(result.value);
            } else {
              allow();
            }
          } catch (error) {
            allow();
          }
        });
      } catch (error) {
        allow();
      }
    }

    function lookForMailbox(/** @type {any} */ item, /** @type {() => void} */ otherwise) {
      ask(
        function (done) {
          item.requiredAttendees.getAsync(done);
        },
        function (required) {
          if (includesMailbox(required)) {
            allow();
            return;
          }
          ask(
            function (done) {
              item.optionalAttendees.getAsync(done);
            },
            function (optional) {
              if (includesMailbox(optional)) {
                allow();
              } else {
                otherwise();
              }
            }
          );
        }
      );
    }

    function refuse() {
      finish({ allowEvent: false, errorMessage: message() });
    }

    function addMailbox(/** @type {any} */ item) {
      var mailbox = GREENROOM.mailbox;
      var person = { displayName: mailbox.name || mailbox.address, emailAddress: mailbox.address };
      function lookAgain() {
        lookForMailbox(item, refuse);
      }
      try {
        item.requiredAttendees.addAsync([person], lookAgain);
      } catch (error) {
        refuse();
      }
    }

    try {
      if (typeof setTimeout === "function") {
        setTimeout(allow, PATIENCE);
      }
      var item = /** @type {any} */ (Office.context.mailbox.item);
      ask(
        function (done) {
          item.body.getAsync("text", done);
        },
        function (text) {
          if (!needsMailbox(String(text))) {
            allow();
            return;
          }
          lookForMailbox(item, function () {
            addMailbox(item);
          });
        }
      );
    } catch (error) {
      allow();
    }
  }

  Office.actions.associate("onSend", onSend);
  // In a page, Office.js begins only for those who ask whether it is ready; engines without a page do nothing here.
  if (typeof Office.onReady === "function") {
    Office.onReady();
  }
})();
