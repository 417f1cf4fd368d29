// Enhancements of the pages. Every page works without this script.
"use strict";

// Show times in the reader's time zone. The title has the exact time.
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (isNaN(moment)) continue;
    time.title = exactly.format(moment);
    time.textContent = moments.format(moment);
  }
}

// Show the buttons that copy the field or text with the id in data-copy.
function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    say("Copied");
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  } catch {
    source.select?.();
    say("Press Ctrl+C to copy");
  }
});

// Announce a text to screen readers.
let announcer;
function say(text) {
  if (!announcer) {
    announcer = document.createElement("p");
    announcer.className = "visually-hidden";
    announcer.setAttribute("role", "status");
    document.body.append(announcer);
  }
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = text; }, 50);
}

// Reload a part of the page from data-live every data-every seconds, until the part contains data-live-ends.
// Hidden tabs do not reload. When the session has ended, the page reloads and asks to sign in.
function keepLive(part) {
  const seconds = Number(part.dataset.every || 3);
  let shown = part.innerHTML;
  async function look() {
    if (!part.isConnected) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" }, cache: "no-store" });
        if (answer.redirected) return location.reload();
        if (answer.status === 204) return;
        if (answer.ok) {
          const html = await answer.text();
          if (html.trim() !== shown.trim()) replace(part, html);
          shown = html;
          if (part.querySelector("[data-live-ends]")) return;
        }
      } catch { /* The service is unavailable. Retry with the next interval. */ }
    }
    setTimeout(look, pause());
  }
  // A long part reloads less often: every 30 seconds for a million characters.
  const pause = () => Math.max(seconds * 1000, shown.length * 0.03);
  setTimeout(look, pause());
}

function replace(part, html) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  part.innerHTML = html;
  enhance(part);
  if (!focused) return;
  const same = (link) => link.href === focused.href && link.textContent === focused.textContent;
  (document.getElementById(focused.id) ?? [...part.querySelectorAll("a[href]")].find(same))?.focus();
}

// Update the results in the part with the id in data-search while the user types in the form.
function searchAsTyped(form) {
  const part = document.getElementById(form.dataset.search);
  let waiting, asking;
  async function look() {
    const wanted = [...new FormData(form)].filter(([, value]) => value !== "");
    const page = `${form.action}?${new URLSearchParams(wanted)}`;
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`${page}${wanted.length ? "&" : ""}part=1`, { signal: asking.signal, cache: "no-store" });
      if (answer.redirected) return location.reload();
      if (!answer.ok) return;
      replace(part, await answer.text());
      history.replaceState(null, "", wanted.length ? page : form.action);
      say(part.querySelector(".empty-title")?.textContent ?? `${part.querySelectorAll("tbody tr").length} shown`);
    } catch { /* A later search replaced this one, or the service is unavailable. */ }
  }
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 250); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); look(); });
}

function enhance(root) {
  showTimes(root);
  offerCopies(root);
}

enhance(document);
for (const part of document.querySelectorAll("[data-live]")) keepLive(part);
for (const form of document.querySelectorAll("form[data-search]")) searchAsTyped(form);
document.getElementById("refusal")?.focus();
