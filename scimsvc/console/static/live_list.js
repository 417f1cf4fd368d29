// Show new entries of a list by themselves, but never move a list that is read: while the pointer or the focus is in the
// list, its start is scrolled out of view, text is selected or details are open, a button names the number of new entries.

import { say } from "./announcing.js";
import { ask, replace } from "./parts.js";

class LiveList {
  constructor(section) {
    this.section = section;
    this.content = section.querySelector("[data-live-content]");
    this.pill = section.querySelector("[data-live-show]");
    this.state = section.querySelector("[data-live-state]");
    this.pauseButton = section.querySelector("[data-live-pause]");
    this.seconds = Number(section.dataset.every);
    this.isPaused = false;
    this.hasPointer = false;
    section.querySelector(".live-bar").hidden = false;
    this.content.addEventListener("pointerenter", (event) => { this.hasPointer = event.pointerType === "mouse"; });
    this.content.addEventListener("pointerleave", () => { this.hasPointer = false; });
    this.pill.addEventListener("click", () => this.show(true));
    this.pauseButton.addEventListener("click", () => this.pause(!this.isPaused));
    this.wait();
  }

  get rows() {
    return [...this.content.querySelectorAll("tr[id]")];
  }

  get isRead() {
    return this.hasPointer
      || this.content.contains(document.activeElement)
      || this.content.getBoundingClientRect().top < 0
      || !getSelection().isCollapsed
      || document.querySelector("dialog[open]") !== null;
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    this.pauseButton.textContent = isPaused ? "Resume" : "Pause";
    this.pauseButton.setAttribute("aria-pressed", String(isPaused));
    this.state.textContent = isPaused ? "Paused" : "Live";
    this.section.classList.toggle("is-paused", isPaused);
    if (!isPaused) this.look();
  }

  // A long list is asked for less often: every 30 seconds for a million characters.
  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), Math.max(this.seconds * 1000, this.content.innerHTML.length * 0.03));
  }

  async look() {
    clearTimeout(this.timer);
    if (!document.hidden && !this.isPaused) {
      if (this.news && !this.isRead) this.show();
      const newest = (this.news ?? this.content).querySelector("tr[id]")?.id.replace(/^entry-/, "");
      const url = this.section.dataset.liveList + (newest ? `${this.section.dataset.liveList.includes("?") ? "&" : "?"}newest=${newest}` : "");
      const answer = await ask(url);
      if (answer?.status === 200 && !this.isPaused) this.take(await answer.text());
    }
    this.wait();
  }

  take(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    this.news = template.content;
    this.html = html;
    const known = new Set(this.rows.map((row) => row.id));
    const fresh = [...this.news.querySelectorAll("tr[id]")].map((row) => row.id);
    const old = fresh.findIndex((id) => known.has(id));
    const number = old < 0 ? fresh.length : old;
    if (number && known.size && this.isRead) return this.announce(number, old < 0);
    this.show();
  }

  announce(number, isAtLeast) {
    const { one, many } = this.section.dataset;
    const words = `${number}${isAtLeast ? "+" : ""} new ${number === 1 ? one : many}`;
    if (this.pill.textContent !== words) say(words);
    this.pill.textContent = words;
    this.pill.hidden = false;
  }

  show(scroll = false) {
    if (this.html === undefined) return;
    const known = new Set(this.rows.map((row) => row.id));
    replace(this.content, this.html);
    if (known.size) for (const row of this.rows) if (!known.has(row.id)) row.classList.add("is-new");
    this.news = this.html = undefined;
    this.pill.hidden = true;
    this.pill.textContent = "";
    if (scroll) this.section.scrollIntoView({ block: "start" });
  }
}

for (const section of document.querySelectorAll("[data-live-list]")) new LiveList(section);
