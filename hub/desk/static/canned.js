// The reply box: what goes out by which way, what it costs there while it is typed, and templates put in.
import { fetchPart, post, token } from "./asking.js";

const PAUSE = 250; // ms without a key before the cost is asked for
let timer;

const formOf = (inside) => inside.closest("reply-box form.slip");
const chosen = (form) => form.querySelector("select[name=line]")?.selectedOptions[0];

function follow(form) {
  const way = chosen(form);
  if (!way) return;
  const note = form.querySelector("[data-way-note]");
  if (note) note.textContent = way.dataset.note;
  const byMail = way.dataset.channel === "email";
  for (const part of form.querySelectorAll("[data-mail]")) part.hidden = !byMail;
  count(form);
}

function count(form) {
  clearTimeout(timer);
  timer = setTimeout(() => tell(form), PAUSE);
}

async function tell(form) {
  const place = form.querySelector("[data-cost]"), way = chosen(form);
  if (!place) return;
  if (!way?.hasAttribute("data-paid")) {
    place.hidden = true;
    return;
  }
  const text = form.elements.text.value, body = new FormData();
  body.set("csrf", token());
  body.set("line", way.value);
  body.set("text", text);
  try {
    const answer = await post("/desk/measure", body);
    if (form.elements.text.value !== text || chosen(form) !== way) return; // typed on, or another way, meanwhile
    place.textContent = answer.cost;
    place.hidden = !answer.cost;
  } catch {
    place.hidden = true;
  }
}

async function put(form, link) {
  const box = link.closest("[data-templates]"), line = chosen(form)?.value || "";
  const address = `${box.dataset.templates}${encodeURIComponent(link.dataset.template)}?line=${encodeURIComponent(line)}`;
  let words;
  try {
    words = JSON.parse(await fetchPart(address, { Accept: "application/json" }));
  } catch {
    location.assign(link.href);
    return;
  }
  const field = form.elements.text;
  const before = field.value.slice(0, field.selectionStart), after = field.value.slice(field.selectionEnd);
  const gap = before && !before.endsWith("\n") ? "\n" : "";
  field.value = before + gap + words.text + (after && !after.startsWith("\n") ? "\n" : "") + after;
  form.elements.template.value = link.dataset.template;
  if (words.subject && form.elements.subject) form.elements.subject.value = words.subject;
  const warning = form.querySelector("[data-missing]");
  warning.textContent = words.missing || "";
  warning.hidden = !words.missing;
  box.open = false;
  field.focus();
  const blank = field.value.indexOf("{{");
  if (blank >= 0) field.setSelectionRange(blank, field.value.indexOf("}}", blank) + 2);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("change", (event) => {
  if (event.target.matches("reply-box select[name=line]")) follow(formOf(event.target));
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-templates] [data-filter]")) {
    const wanted = event.target.value.trim().toLowerCase();
    for (const one of event.target.closest("[data-templates]").querySelectorAll("[data-template]")) {
      one.hidden = !one.textContent.toLowerCase().includes(wanted);
    }
  } else if (event.target.matches("reply-box form.slip textarea[name=text]")) {
    count(formOf(event.target));
  }
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-templates] [data-filter]") || event.key !== "Enter") return;
  event.preventDefault();
  const first = event.target.closest("[data-templates]").querySelector("[data-template]:not([hidden])");
  if (first) put(formOf(event.target), first);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-templates] [data-template]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  put(formOf(link), link);
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("[data-templates]") && event.target.open) {
    event.target.querySelector("[data-filter]").focus();
  }
}, true);

for (const form of document.querySelectorAll("reply-box form.slip")) if (chosen(form)) follow(form);
