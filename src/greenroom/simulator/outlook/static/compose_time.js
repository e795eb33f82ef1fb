/** Local times of a zone and moments, without a library. */

/** Minutes that a zone is ahead of UTC at a moment. */
function ahead(moment, zone) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).formatToParts(moment);
  const of = (type) => Number(parts.find((part) => part.type === type).value);
  return (Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute")) - Math.floor(moment / 60_000) * 60_000) / 60_000;
}

/** The moment of a local day ("2026-03-03") and time ("09:30"), as ISO 8601; the epoch where they are not filled in. */
export function momentOf(day, time, zone) {
  const wall = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(wall)) return new Date(0).toISOString();
  let moment = wall - ahead(wall, zone) * 60_000;
  moment = wall - ahead(moment, zone) * 60_000; // once more, for days on which the clocks change
  return new Date(moment).toISOString();
}

/** The local day and time of a moment. */
export function localOf(iso, zone) {
  const moment = Date.parse(iso);
  const text = new Date(moment + ahead(moment, zone) * 60_000).toISOString();
  return [text.slice(0, 10), text.slice(11, 16)];
}
