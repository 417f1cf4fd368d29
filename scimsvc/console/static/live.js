// Reload a part of the page from data-live every data-every seconds, until the part contains data-live-ends.
// Hidden tabs do not reload.

import { ask, replace } from "./parts.js";

function keepLive(part) {
  const seconds = Number(part.dataset.every || 3);
  let shown = part.innerHTML;
  async function look() {
    if (!part.isConnected) return;
    const answer = document.hidden ? null : await ask(part.dataset.live);
    if (answer?.status === 204) return;
    if (answer) {
      const html = await answer.text();
      if (html.trim() !== shown.trim()) replace(part, html);
      shown = html;
      if (part.querySelector("[data-live-ends]")) return;
    }
    setTimeout(look, pause());
  }
  // A long part reloads less often: every 30 seconds for a million characters.
  const pause = () => Math.max(seconds * 1000, shown.length * 0.03);
  setTimeout(look, pause());
}

for (const part of document.querySelectorAll("[data-live]")) keepLive(part);
