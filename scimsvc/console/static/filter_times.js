// Show and read the times of filters in the reader's time zone. Addresses have them in UTC, so that links can be shared.

import { zone } from "./times.js";

const pad = (number) => String(number).padStart(2, "0");
const local = (moment) =>
  `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}T${pad(moment.getHours())}:${pad(moment.getMinutes())}`;

// The attribute has the time in UTC, also after the browser restored what the reader typed.
for (const field of document.querySelectorAll("input[data-utc]")) {
  const moment = new Date(`${field.defaultValue}Z`);
  if (!isNaN(moment)) field.value = local(moment);
  field.form.addEventListener("formdata", (event) => {
    const typed = new Date(event.formData.get(field.name));
    if (!isNaN(typed)) event.formData.set(field.name, typed.toISOString().slice(0, 16));
    else event.formData.delete(field.name);
  });
}
for (const note of document.querySelectorAll("[data-utc-note]")) note.textContent = zone === "UTC" ? " (UTC)" : "";

// Leave empty filters out of the address.
for (const form of document.querySelectorAll("form.filters:not([data-search])")) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}
