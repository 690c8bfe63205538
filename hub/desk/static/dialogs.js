// Links with data-dialog open over the page; menus shut by themselves; forms that filter act at once.
import { fetchPart } from "./asking.js";

const dialog = document.getElementById("dialog");

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    try {
      dialog.innerHTML = await fetchPart(link.href, { "X-Dialog": location.pathname + location.search });
      dialog.showModal();
      dialog.querySelector("[autofocus]")?.focus();
    } catch {
      location.assign(link.href);
    }
    return;
  }
  if (event.target === dialog) dialog.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.menu") && event.target.open) {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== event.target) menu.open = false;
  }
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-auto] select")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  if (form.method === "get" && form.matches("[data-auto]")) {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  }
  if (form.method === "post") {
    if (form.dataset.sent) event.preventDefault(); // a second click sends nothing twice
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 4000);
  }
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});
