// Show the times of a page in the reader's time zone, which the page names once. The server renders them in UTC.

// The words of the pages are English, so the words of dates are too. Readers of English keep the order of their country.
const locale = navigator.languages.find((each) => /^en\b/i.test(each)) ?? "en-GB";
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

const clock = { hour: "numeric", minute: "2-digit" };
const day = { month: "short", day: "numeric" };
const styles = {
  minute: { ...day, ...clock },
  second: { ...day, ...clock, second: "2-digit" },
  day,
  hour: clock,
  weekday: { weekday: "short" },
};
const withoutYear = ["hour", "weekday"];
const formats = {};
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" });

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Format a moment in one of the styles: "minute", "second", "day", "hour" or "weekday". Another year is shown.
export function format(moment, style = "minute") {
  const withYear = !withoutYear.includes(style) && moment.getFullYear() !== new Date().getFullYear();
  const key = `${style} ${withYear}`;
  formats[key] ??= new Intl.DateTimeFormat(locale, { ...styles[style], ...(withYear && { year: "numeric" }) });
  return formats[key].format(moment);
}

// Return a time such as "5 min ago" or "in 3 days". Times that are more than 30 days away are dates.
export function relative(moment, now = Date.now()) {
  const distance = moment - now;
  const size = Math.abs(distance);
  if (size < MINUTE) return "just now";
  if (size > 30 * DAY) return format(moment, "day");
  const [length, unit] = size < HOUR ? [MINUTE, "min"] : size < DAY ? [HOUR, "h"] : [DAY, "day"];
  const number = Math.floor(size / length);
  const words = `${number} ${unit}${unit === "day" && number > 1 ? "s" : ""}`;
  return distance < 0 ? `${words} ago` : `in ${words}`;
}

export function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) show(time);
}

function show(time) {
  const moment = new Date(time.dateTime);
  if (isNaN(moment)) return;
  const style = time.dataset.show;
  time.title = exact.format(moment);
  time.textContent = style === "ago" ? relative(moment) : format(moment, style);
}

function nameZone() {
  const offset = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" })
    .formatToParts().find((part) => part.type === "timeZoneName").value;
  const words = zone === "UTC" || zone === "Etc/UTC" ? "UTC" : `your time zone, ${zone.replaceAll("_", " ")} (${offset})`;
  for (const note of document.querySelectorAll("[data-zone]")) note.textContent = `Times are in ${words}.`;
}

nameZone();
setInterval(() => {
  if (!document.hidden) for (const time of document.querySelectorAll("time[data-show=ago]")) show(time);
}, 30_000);
