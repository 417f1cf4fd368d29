// Open the details of a row beside the list, instead of on a page of their own.
// The up and down arrows show the next rows, and Escape closes the drawer.

import { ask, replace } from "./parts.js";

let drawer, content, opened;

function build() {
  drawer = document.createElement("dialog");
  drawer.className = "drawer";
  drawer.setAttribute("aria-label", "Details");
  const close = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: "Close" });
  close.addEventListener("click", () => drawer.close());
  content = document.createElement("div");
  content.className = "drawer-content";
  drawer.append(close, content);
  drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });
  drawer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event);
  });
  drawer.addEventListener("close", () => {
    opened?.closest("tr")?.classList.remove("opened");
    if (opened?.isConnected) opened.focus();
    opened = undefined;
  });
  document.querySelector("main").append(drawer);
}

function move(event) {
  const links = [...document.querySelectorAll("a[data-drawer]")].filter((link) => link.offsetParent);
  const next = links[links.indexOf(opened) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  open(next);
}

async function open(link) {
  const answer = await ask(`${link.href}${link.search ? "&" : "?"}part=1`);
  if (!answer) return location.assign(link.href);
  const html = await answer.text();
  if (!drawer) build();
  opened?.closest("tr")?.classList.remove("opened");
  opened = link;
  link.closest("tr")?.classList.add("opened");
  replace(content, html);
  content.scrollTop = 0;
  if (!drawer.open) drawer.showModal();
}

const isPlain = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

document.addEventListener("click", (event) => {
  if (!isPlain(event)) return;
  const row = event.target.closest("tr[data-opens]");
  const link = event.target.closest("a[data-drawer]") ?? row?.querySelector("a[data-drawer]");
  const other = event.target.closest("a, button, input, select, label");
  if (!link || (other && other !== link) || (!other && !getSelection().isCollapsed)) return;
  event.preventDefault();
  open(link);
});
