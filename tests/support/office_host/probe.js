// A page of an add-in that does what tests tell it to; see tests/addin/test_office_host.py.
window.ready = Office.onReady((info) => {
  window.info = info;
  Office.actions.associate("addRoom", (event) => {
    Office.context.mailbox.item.location.setAsync("Attic", () => event.completed({ good: true }));
  });
  if (location.pathname === "/addin/signed-in.html") Office.context.ui.messageParent("a code", { targetOrigin: location.origin });
});
// Runs calls such as ["item.body.getAsync", "html"]; gives [status, value or code] of each, or what it throws.
window.ask = async (calls) => {
  const found = [];
  for (const [path, ...given] of calls) {
    const names = path.split("."), name = names.pop();
    const holder = names.reduce((one, part) => one[part], { item: Office.context.mailbox.item, mailbox: Office.context.mailbox, context: Office.context });
    try {
      const answer = await new Promise((resolve) => holder[name](...given, resolve));
      found.push([answer.status, answer.status === "succeeded" ? answer.value ?? null : answer.error.code]);
    } catch (error) { found.push(["threw", error.name.replace("Exception", "")]); }
  }
  return JSON.parse(JSON.stringify(found));
};
window.loaded = () => new Promise((resolve) => Office.context.mailbox.item.loadCustomPropertiesAsync((answer) => resolve(answer.value)));
window.kept = () => loaded().then((known) => known.get("greenroom") ?? null);
window.remember = (value) => loaded().then((known) => {
  known.set("greenroom", value);
  return new Promise((resolve) => known.saveAsync((answer) => resolve(answer.status)));
});
window.roam = (key, value) => {
  Office.context.roamingSettings.set(key, value);
  return new Promise((resolve) => Office.context.roamingSettings.saveAsync((answer) => resolve(answer.status)));
};
window.described = () => {
  const { context, context: { mailbox } } = Office;
  return {
    info: [info.host, info.platform],
    kind: mailbox.item.itemType,
    old: context.roamingSettings.get("old"),
    sets: ["1.3", "1.5", "1.8", "1.14", "1.15"].filter((set) => context.requirements.isSetSupported("Mailbox", set)),
    nested: context.requirements.isSetSupported("NestedAppAuth", "1.1"),
    series: String(mailbox.item.seriesId),
    attendees: typeof mailbox.item.requiredAttendees,
    location: typeof mailbox.item.location,
    shared: typeof mailbox.item.getSharedPropertiesAsync,
    user: mailbox.userProfile.emailAddress,
    account: String(mailbox.userProfile.accountType),
    language: context.displayLanguage,
  };
};
window.dialog = (address) => new Promise((resolve) => {
  const options = { height: 50, width: 30, promptBeforeOpen: false };
  Office.context.ui.displayDialogAsync(address, options, (answer) => {
    if (answer.status !== "succeeded") {
      resolve(answer.error.code);
      return;
    }
    answer.value.addEventHandler(Office.EventType.DialogMessageReceived, ({ message }) => {
      answer.value.close();
      resolve(message);
    });
  });
});
window.within = (milliseconds, asked) => Promise.race([asked, new Promise((resolve) => { setTimeout(resolve, milliseconds, "silence"); })]);
