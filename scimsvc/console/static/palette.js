// The search in a dialog over the page, with Ctrl-K or /. Without this script, the link opens the page of the search.

import { say } from "./announcing.js";
import { ask, replace } from "./parts.js";

const link = document.querySelector("a[data-palette]");
let dialog, field, found, waiting, asking;

function build() {
  dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.setAttribute("aria-label", "Search");
  field = document.createElement("input");
  Object.assign(field, { type: "search", autocomplete: "off", placeholder: "Search" });
  field.setAttribute("aria-label", "Search");
  found = document.createElement("div");
  found.className = "palette-found";
  dialog.append(field, found);
  document.body.append(dialog);
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 150); });
  dialog.addEventListener("keydown", move);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

function open() {
  if (!dialog) build();
  if (dialog.open) return;
  dialog.showModal();
  field.select();
  look();
}

async function look() {
  asking?.abort();
  const mine = asking = new AbortController();
  const url = `${link.href}?${new URLSearchParams({ search: field.value, part: "1" })}`;
  const answer = await ask(url, { signal: mine.signal });
  if (!answer) return;
  const html = await answer.text();
  if (mine.signal.aborted) return;
  replace(found, html);
  const number = found.querySelectorAll("a").length;
  say(number === 1 ? "1 result" : `${number} results`);
}

// The arrow keys move between the field and the results. Enter in the field opens the first result.
function move(event) {
  const stops = [field, ...found.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    stops.at((at + (event.key === "ArrowDown" ? 1 : -1)) % stops.length).focus();
  } else if (event.key === "Enter" && at === 0) {
    stops[1]?.click();
  }
}

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

if (link) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    const isChord = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    const isSlash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
    if (!isChord && !isSlash) return;
    event.preventDefault();
    open();
  });
}
