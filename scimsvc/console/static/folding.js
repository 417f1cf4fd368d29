// Show and hide the folded rows of a line. Without this script, the link leads to a page without folded rows.

const unfolded = new Set();

function show(link, isShown) {
  const id = link.dataset.unfold;
  unfolded[isShown ? "add" : "delete"](id);
  link.setAttribute("aria-expanded", String(isShown));
  for (const row of document.querySelectorAll(`tr[data-fold="${CSS.escape(id)}"]`)) row.hidden = !isShown;
}

// Prepare the links in `root`, and show the rows again that were shown before the list changed.
export function prepareFolds(root) {
  for (const link of root.querySelectorAll("a[data-unfold]")) {
    link.setAttribute("role", "button");
    show(link, unfolded.has(link.dataset.unfold));
  }
}

function toggle(event, link) {
  event.preventDefault();
  show(link, link.getAttribute("aria-expanded") !== "true");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-unfold]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) toggle(event, link);
});
document.addEventListener("keydown", (event) => {
  const link = event.key === " " && event.target.closest?.("a[data-unfold]");
  if (link) toggle(event, link);
});
