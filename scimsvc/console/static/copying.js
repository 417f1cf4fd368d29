// Buttons that copy the field or text with the id in data-copy.

import { say } from "./announcing.js";

export function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.href ?? source.value ?? source.textContent);
    say("Copied");
    showCopied(button);
  } catch {
    source.select?.();
    say("Press Ctrl+C to copy");
  }
});

// The label of the button changes for a while. A button with only a picture shows the word beside it.
function showCopied(button) {
  if (button.classList.contains("copied")) return;
  const label = button.firstChild.nodeType === Node.TEXT_NODE ? button.firstChild : null;
  const before = label?.data;
  button.classList.add("copied");
  if (label) label.data = "Copied";
  setTimeout(() => {
    button.classList.remove("copied");
    if (label) label.data = before;
  }, 2000);
}
