// An add-in as small as can be, over BLOCK; see tests/simulator/test_outlook_addin_browser.py.
const office = Office.context;
const call = (holder, name, ...given) => new Promise((resolve, reject) => holder[name](...given, (answer) => {
  if (answer.status === "succeeded") resolve(answer.value); else reject(new Error(`${name} ${answer.error.code}`));
}));
async function add(event) {
  const item = office.mailbox.item;
  const token = await call(office.mailbox, "getUserIdentityTokenAsync");
  await call(item.requiredAttendees, "addAsync", [{ displayName: "Virtual room", emailAddress: "vmr@mail.test" }]);
  const body = await call(item.body, "getAsync", "html");
  await call(item.body, "setAsync", body.replace("</body>", BLOCK + "</body>"), { coercionType: "html" });
  await call(item.location, "setAsync", "https://meet.test/j/1");
  const known = await call(item, "loadCustomPropertiesAsync");
  known.set("greenroom", { ticket: "T", length: token.split(".").length });
  await call(known, "saveAsync");
  office.roamingSettings.set("used", (office.roamingSettings.get("used") ?? 0) + 1);
  await call(office.roamingSettings, "saveAsync");
  await call(item.notificationMessages, "replaceAsync", "done",
    { type: "informationalMessage", message: "The room was added.", icon: "icon", persistent: false });
  event?.completed();
}
Office.onReady(async () => {
  Office.actions.associate("addRoom", add);
  const state = document.getElementById("state");
  if (!state) return;
  const item = office.mailbox.item;
  const show = async () => {
    await call(item.body, "getAsync", "text");
    const [people, start, known] = [await call(item.requiredAttendees, "getAsync"), await call(item.start, "getAsync"), await call(item, "loadCustomPropertiesAsync")];
    state.textContent = `${people.map((one) => one.emailAddress)} | ${start.toISOString()} | ${known.get("greenroom")?.ticket} | ${office.roamingSettings.get("used")}`;
  };
  document.getElementById("add").onclick = () => add().then(show);
  document.getElementById("close").onclick = () => office.ui.closeContainer();
  await show();
});
