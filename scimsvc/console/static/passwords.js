// Buttons that show and hide the password in the field with the id in data-reveal.

import { enhancements } from "./parts.js";

enhancements.push((root) => {
  for (const button of root.querySelectorAll("button[data-reveal]")) button.hidden = false;
});

function set(button, isShown) {
  document.getElementById(button.dataset.reveal).type = isShown ? "text" : "password";
  button.setAttribute("aria-pressed", String(isShown));
  button.firstChild.data = isShown ? "Hide" : "Show";
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-reveal]");
  if (button) set(button, button.getAttribute("aria-pressed") !== "true");
});

// A browser stores the text of a visible field for suggestions.
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button[data-reveal]")) set(button, false);
});
