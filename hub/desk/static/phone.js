// The telephone: calls come whole down the stream, notes go to the server as they are typed, buttons act at once.
import { fetchPart, post, token } from "./asking.js";
import { hear } from "./live.js";
import { clock } from "./time_left.js";

const PAUSE = 500; // ms without a key before a note is saved
const AGAIN = 3000;
const place = document.getElementById("calls");
const said = document.getElementById("calls-said");
const trouble = document.getElementById("trouble");
const calls = new Map();

// -- calls ---------------------------------------------------------------------------------------------------------

class Call {
  constructor(id) {
    this.id = id;
    this.box = Object.assign(document.createElement("section"), { className: "call", id: `call-${id}` });
    this.info = Object.assign(document.createElement("div"), { className: "call-info" });
    this.form = Object.assign(document.createElement("div"), { className: "call-form-place" });
    this.box.append(this.info, this.form);
    this.box.addEventListener("input", (event) => this.typed(event));
    this.box.addEventListener("change", (event) => this.typed(event));
    this.box.addEventListener("click", (event) => { if (event.target.closest("[data-fold]")) this.fold(!this.folded, true); });
    this.box.addEventListener("submit", (event) => this.submit(event));
    this.box.addEventListener("toggle", () => this.catchUp(), true);
    this.box.addEventListener("focusout", () => setTimeout(() => this.catchUp(), 300));
  }

  show(told) {
    const before = this.state;
    this.state = told.state;
    this.box.dataset.state = told.state;
    this.later = undefined;
    if (told.info !== this.shown && (before !== told.state || !this.inUse())) {
      this.shown = told.info;
      this.info.innerHTML = told.info;
      if (this.recording !== undefined) this.showRecording();
    } else if (told.info !== this.shown) {
      this.later = told.info; // somebody is choosing in what would be replaced
    }
    this.box.setAttribute("aria-label", this.info.querySelector("h2")?.textContent.trim() ?? "");
    if (told.form !== undefined) this.showForm(told);
    if (before !== told.state) arrange();
    if (told.state === "talking" && before !== "talking" && before !== undefined) this.open();
  }

  catchUp() {
    if (this.later && !this.inUse()) this.show({ state: this.state, info: this.later });
  }

  inUse() {
    return this.info.querySelector("details.menu[open], input:focus") !== null;
  }

  showForm(told) {
    const asked = (told.asked || []).join();
    const old = this.form.querySelector("form");
    if (old && (asked === this.asked || this.form.contains(document.activeElement))) return;
    const kept = old ? new FormData(old) : undefined;
    this.asked = asked;
    this.form.innerHTML = told.form;
    for (const [name, value] of kept ?? []) {
      const field = this.form.querySelector("form").elements.namedItem(name);
      if (field && name !== "csrf" && value) field.value = value;
    }
    this.choose();
  }

  open() {
    this.fold(false);
    const busy = document.activeElement?.matches("input, textarea, select") || document.querySelector("dialog[open]");
    if (!busy) this.form.querySelector("textarea")?.focus({ preventScroll: true });
  }

  fold(folded, byHand = false) {
    if (byHand) this.byHand = true;
    this.folded = folded;
    this.box.toggleAttribute("data-folded", folded);
    this.box.querySelector("[data-fold]")?.setAttribute("aria-expanded", String(!folded));
  }

  // -- what came of it --

  choose() {
    const form = this.form.querySelector("form");
    const came = form?.elements.disposition?.value ?? "";
    for (const field of form?.querySelectorAll("[data-when]") ?? []) {
      field.hidden = !field.dataset.when.split(" ").includes(came);
    }
  }

  typed(event) {
    if (!this.form.contains(event.target)) return;
    if (event.target.name === "disposition") this.choose();
    this.dirty = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), PAUSE);
  }

  body() {
    const body = new FormData(this.form.querySelector("form"));
    for (const field of this.form.querySelectorAll("[data-when][hidden]")) {
      for (const input of field.querySelectorAll("[name]")) body.set(input.name, "");
    }
    return body;
  }

  async save() {
    const form = this.form.querySelector("form");
    if (!form || !this.dirty) return;
    this.dirty = false;
    const status = form.querySelector("[data-status]");
    try {
      await post(form.dataset.note, this.body());
      if (status && !this.dirty) status.textContent = status.dataset.saved;
    } catch (failure) {
      if (failure.told) return this.trouble(failure, form);
      this.dirty = true; // the line to the server is down: what is typed waits here
      if (status) status.textContent = status.dataset.failed;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), AGAIN);
    }
  }

  leave() {
    const form = this.form.querySelector("form");
    if (!form || !this.dirty) return;
    const body = this.body();
    body.set("csrf", token());
    navigator.sendBeacon(form.dataset.note, body);
    this.dirty = false;
  }

  async submit(event) {
    const form = event.target;
    if (!form.matches(".call-form")) return;
    event.preventDefault();
    clearTimeout(this.timer);
    this.dirty = false;
    const body = this.body();
    if (event.submitter?.name) body.set(event.submitter.name, event.submitter.value);
    try {
      await post(form.action, body);
      forget(this.id);
    } catch (failure) {
      this.trouble(failure, form);
    } finally {
      delete form.dataset.sent;
    }
  }

  trouble(failure, form) {
    complain(form, failure);
    const name = failure.told?.field;
    const field = name && (form.elements.namedItem(`field.${name}`) || form.elements.namedItem(name));
    const asked = name && form.elements.namedItem(`field.${name}`);
    if (field?.focus) {
      field.closest("[data-when]")?.removeAttribute("hidden");
      field.setAttribute("aria-invalid", "true");
      field.focus();
    }
    for (const out of form.querySelectorAll("[data-anyway], [data-anyway-hint]")) out.hidden = !asked;
  }

  showRecording() {
    const form = this.info.querySelector("[data-recording]");
    if (!form) return;
    for (const button of form.querySelectorAll("button")) button.hidden = (button.value === "1") === this.recording;
  }
}

function forget(id) {
  const call = calls.get(id);
  if (!call) return;
  call.leave();
  clearTimeout(call.timer);
  calls.delete(id);
  call.box.remove();
  arrange();
}

// Who is talked to lies open; what rings meanwhile, and what is left over, is folded to one line that can be opened.
function arrange() {
  const order = { ringing: 0, dialling: 1, talking: 2, wrap_up: 3 };
  const every = [...calls.values()].sort((one, other) => order[one.state] - order[other.state] || other.id - one.id);
  const first = ["talking", "dialling", "ringing", "wrap_up"].find((state) => every.some((call) => call.state === state));
  let opened = false;
  for (const call of every) {
    const open = call.state === first && (!opened || first === "ringing");
    opened ||= open;
    if (!call.byHand || call.arranged !== first) call.fold(!open);
    call.arranged = first;
  }
  const now = [...place.querySelectorAll(":scope > .call")];
  const wanted = every.map((call) => call.box);
  if (wanted.some((box, index) => box !== now[index]) && !place.contains(document.activeElement)) place.append(...wanted);
  else for (const box of wanted) if (!box.isConnected) place.prepend(box);
  place.hidden = !calls.size;
  document.documentElement.toggleAttribute("data-calls", calls.size > 0);
}

function heard(message) {
  if (message.whole) {
    const there = new Set(message.calls.map((one) => one.id));
    for (const id of [...calls.keys()]) if (!there.has(id)) forget(id);
  }
  for (const told of message.calls) {
    if (told.say && !message.whole) said.textContent = told.say;
    if (told.state === "gone") {
      forget(told.id);
      continue;
    }
    if (!calls.has(told.id)) calls.set(told.id, new Call(told.id));
    calls.get(told.id).show(told);
  }
}

if (place) {
  hear("calls", heard);
  addEventListener("pagehide", () => { for (const call of calls.values()) call.leave(); });
}

// -- buttons -------------------------------------------------------------------------------------------------------

function complain(form, failure) {
  const box = form.closest(".call, .menu, main") ?? document;
  const place = form.querySelector("[data-trouble]") ?? box.querySelector("[data-trouble]") ?? trouble;
  const told = failure.told;
  place.textContent = told ? [told.message, told.remedy].filter(Boolean).join(": ") : "…";
  place.hidden = false;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-phone]")) return;
  event.preventDefault();
  const body = new FormData(form);
  if (event.submitter?.name) body.set(event.submitter.name, event.submitter.value);
  for (const shown of (form.closest(".call, .menu, main") ?? form).querySelectorAll("[data-trouble]")) shown.hidden = true;
  try {
    const answer = await post(form.action, body);
    const call = calls.get(Number(form.closest(".call")?.id.slice(5)));
    if (call && answer.paused !== undefined) {
      call.recording = answer.paused;
      call.showRecording();
    }
    const menu = form.closest("details.menu");
    if (menu) menu.open = false;
  } catch (failure) {
    complain(form, failure);
  } finally {
    delete form.dataset.sent;
  }
});

document.addEventListener("toggle", async (event) => {
  const menu = event.target;
  if (!menu.matches?.("details[data-transfer]") || !menu.open) return;
  const inside = menu.querySelector(":scope > div");
  try {
    inside.innerHTML = await fetchPart(`${menu.dataset.transfer}?part=`);
    inside.querySelector("input")?.focus();
  } catch {
    menu.open = false;
  }
}, true);

// -- <since-time at>: minutes and seconds that go on ----------------------------------------------------------------

class SinceTime extends HTMLElement {
  connectedCallback() {
    this.at = Date.parse(this.getAttribute("at") || "");
    if (Number.isNaN(this.at)) return;
    clock.add(this);
    this.count(Date.now());
  }

  disconnectedCallback() {
    clock.delete(this);
  }

  count(now) {
    const whole = Math.max(0, Math.floor((now - this.at) / 1000));
    const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const parts = hours ? [hours, minutes, seconds] : [minutes, seconds];
    const text = parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("since-time", SinceTime);
