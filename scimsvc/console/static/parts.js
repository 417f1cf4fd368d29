// Replace a part of the page with HTML from the service.

import { offerCopies } from "./copying.js";
import { showTimes } from "./times.js";

// Prepare the elements in `root`. Topics of single pages add their own functions to `enhancements`.
export const enhancements = [showTimes, offerCopies];

export function enhance(root) {
  for (const each of enhancements) each(root);
}

// Replace the content of `part`, and keep the focus on the same link or field.
export function replace(part, html) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  part.innerHTML = html;
  enhance(part);
  if (!focused) return;
  const same = (link) => link.href === focused.href && link.textContent === focused.textContent;
  (document.getElementById(focused.id) ?? [...part.querySelectorAll("a[href]")].find(same))?.focus();
}

// Return the answer to a request for a part of a page, or null if the service is unavailable.
// When the session has ended, the page reloads and asks to sign in.
export async function ask(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store", ...options });
  } catch {
    return null;
  }
  if (answer.redirected) location.reload();
  return answer.ok && !answer.redirected ? answer : null;
}
