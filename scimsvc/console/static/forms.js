// Forms are sent once, and their buttons show it.

// A form is sent once. Its button shows that it is being sent, until the next page or the Back button.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  const pressed = event.submitter;
  // After the event, so that the value of the button is sent.
  setTimeout(() => {
    pressed?.classList.add("sending");
    for (const button of form.querySelectorAll("button:not([type=button])")) button.disabled = true;
  });
  // A download does not leave the page.
  setTimeout(() => release(form), 20_000);
});

function release(form) {
  if (!form.dataset.sent) return;
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button:not([type=button])")) {
    button.disabled = false;
    button.classList.remove("sending");
  }
}

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) release(form);
});
