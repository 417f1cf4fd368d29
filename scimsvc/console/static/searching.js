// Update the results in the part with the id in data-search while the user types in the form.

import { say } from "./announcing.js";
import { ask, replace } from "./parts.js";

function searchAsTyped(form) {
  const part = document.getElementById(form.dataset.search);
  let waiting, asking;
  async function look() {
    const wanted = [...new FormData(form)].filter(([, value]) => value !== "");
    const page = `${form.action}?${new URLSearchParams(wanted)}`;
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const answer = await ask(`${page}${wanted.length ? "&" : ""}part=1`, { signal });
    const html = await answer?.text().catch(() => undefined);
    if (html === undefined || signal.aborted) return;
    replace(part, html);
    history.replaceState(null, "", wanted.length ? page : form.action);
    say(part.querySelector(".empty-title")?.textContent ?? `${part.querySelectorAll("tbody tr").length} shown`);
  }
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 250); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); look(); });
}

for (const form of document.querySelectorAll("form[data-search]")) searchAsTyped(form);
