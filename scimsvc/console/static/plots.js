// Plots in the reader's time zone: axes, and a tooltip for the bar under the pointer or with the focus.
// The arrow keys move from bar to bar.

import { format, zone } from "./times.js";

// Whether the axis names the start of a span: every six hours, the first span of a day, or Mondays.
const marks = {
  hour: (start) => start.getHours() % 6 === 0,
  quarter: (start) => start.getHours() < 6,
  day: (start) => start.getDay() === 1,
};

const styles = { hour: "hour", quarter: "weekday", day: "day" };

function drawAxis(plots) {
  for (const tick of plots.querySelectorAll(".tick")) {
    const start = new Date(tick.dataset.start);
    tick.classList.toggle("off", !marks[plots.dataset.plots](start));
    tick.querySelector("text").textContent = format(start, styles[plots.dataset.plots]);
  }
}

function words(bar, label) {
  const start = new Date(bar.dataset.start), end = new Date(bar.dataset.end);
  const isSameDay = start.toDateString() === end.toDateString();
  return `${format(start)} – ${format(end, isSameDay ? "hour" : "minute")}: ${bar.dataset.count} ${label}`;
}

const tooltip = Object.assign(document.createElement("div"), { className: "tooltip", hidden: true });
tooltip.setAttribute("aria-hidden", "true"); // the label of the bar says the same

function point(bar) {
  tooltip.textContent = bar.getAttribute("aria-label");
  tooltip.hidden = false;
  const box = bar.getBoundingClientRect(), size = tooltip.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left + box.width / 2 - size.width / 2), document.documentElement.clientWidth - size.width - 8);
  tooltip.style.left = `${left + scrollX}px`;
  tooltip.style.top = `${box.top + scrollY - size.height - 6}px`;
}

function move(event, bars) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const next = step && bars[bars.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  for (const bar of bars) bar.setAttribute("tabindex", bar === next ? "0" : "-1");
  next.focus();
}

function enliven(area) {
  const bars = [...area.querySelectorAll("a")];
  bars.forEach((bar, number) => {
    bar.querySelector("title").remove();
    bar.setAttribute("aria-label", words(bar, area.dataset.plot));
    bar.setAttribute("tabindex", number === bars.length - 1 ? "0" : "-1");
    bar.addEventListener("pointerenter", () => point(bar));
    bar.addEventListener("pointerleave", () => { tooltip.hidden = true; });
    bar.addEventListener("focus", () => point(bar));
    bar.addEventListener("blur", () => { tooltip.hidden = true; });
  });
  area.addEventListener("keydown", (event) => move(event, bars));
}

for (const plots of document.querySelectorAll("[data-plots]")) {
  drawAxis(plots);
  plots.querySelectorAll("[data-plot]").forEach(enliven);
  document.body.append(tooltip);
}
// Days of the reader's time zone: the server needs to know it.
for (const link of document.querySelectorAll("[data-zone-links] a")) {
  const url = new URL(link.href);
  url.searchParams.set("zone", zone);
  link.href = url;
}
