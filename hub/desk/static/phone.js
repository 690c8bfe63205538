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
const LINES = 3; // so many calls that are over are shown; earlier ones are behind a button
const pocket = matchMedia("(max-width: 760px)");
const hands = { // what was opened or folded by hand stays so on the next page
  of: (id) => sessionStorage.getItem(`call-${id}`),
  keep: (id, folded) => sessionStorage.setItem(`call-${id}`, folded ? "folded" : "open"),
  forget: (id) => sessionStorage.removeItem(`call-${id}`),
};

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
    this.box.addEventListener("click", (event) => this.pressed(event));
    this.box.addEventListener("submit", (event) => this.submit(event));
    for (const done of ["toggle", "pause", "ended"]) this.box.addEventListener(done, () => this.catchUp(), true);
    this.box.addEventListener("focusout", () => setTimeout(() => this.catchUp(), 300));
  }

  show(told) {
    const before = this.state;
    this.came ??= told.state;
    this.state = told.state;
    this.box.dataset.state = told.state;
    this.later = undefined;
    if (told.info !== this.shown && (before !== told.state || !this.inUse())) {
      this.shown = told.info;
      const kept = this.info.contains(document.activeElement) ? nameOf(document.activeElement) : undefined;
      this.info.innerHTML = told.info;
      if (kept) this.info.querySelector(kept)?.focus({ preventScroll: true });
      this.fold(this.folded);
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
    if (this.info.querySelector("details.menu[open], input:focus")) return true;
    return [...this.info.querySelectorAll("audio")].some((each) => !each.paused);
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

  // Whether it is to lie open: what ended before this page was opened takes no room on a telephone.
  wanted(open) {
    const byHand = this.state === "wrap_up" ? hands.of(this.id) : null;
    if (byHand !== null) return byHand === "open" && open;
    return open && !(this.state === "wrap_up" && this.came === "wrap_up" && pocket.matches);
  }

  open() {
    this.fold(false);
    measure();
    const busy = document.activeElement?.matches("input, textarea, select") || document.querySelector("dialog[open]");
    if (!busy) this.form.querySelector("textarea")?.focus({ preventScroll: true });
  }

  pressed(event) {
    if (event.target.closest("[data-fold]")) this.foldByHand(!this.folded);
    if (event.target.closest("[data-finish]")) this.finish();
  }

  foldByHand(folded) {
    this.byHand = true;
    hands.keep(this.id, folded);
    if (!folded && this.state === "wrap_up") {
      for (const other of calls.values()) if (other !== this && other.state === "wrap_up") other.fold(true);
    }
    this.fold(folded);
    measure();
  }

  fold(folded = false) {
    this.folded = folded;
    this.box.toggleAttribute("data-folded", folded);
    this.box.querySelector("[data-fold]")?.setAttribute("aria-expanded", String(!folded));
  }

  finish() {
    const form = this.form.querySelector("form");
    if (form) form.requestSubmit(form.querySelector(".main-act"));
    else this.foldByHand(false);
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
    if (this.folded) this.foldByHand(false);
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
}

// How to find again what had the focus, when the piece of the page around it is replaced.
function nameOf(element) {
  if (element.matches("[data-fold]")) return "[data-fold]";
  if (element.matches("summary")) return "summary";
  const action = element.closest("form")?.getAttribute("action");
  return action && element.matches("button") ? `form[action="${CSS.escape(action)}"] button` : undefined;
}

function forget(id) {
  const call = calls.get(id);
  if (!call) return;
  const focused = call.box.contains(document.activeElement);
  call.leave();
  clearTimeout(call.timer);
  calls.delete(id);
  hands.forget(id);
  call.box.remove();
  arrange();
  if (focused) (place.querySelector(".call:not([hidden]) [data-fold]") ?? document.getElementById("main")).focus({ preventScroll: true });
}

// Who is talked to lies open; what rings meanwhile, and what is left over, is folded to one line that can be opened.
function arrange() {
  const order = { ringing: 0, dialling: 1, talking: 2, asked: 2, wrap_up: 3 };
  const every = [...calls.values()].sort((one, other) => order[one.state] - order[other.state] || other.id - one.id);
  const first = ["talking", "asked", "dialling", "ringing", "wrap_up"].find((state) => every.some((call) => call.state === state));
  let opened = false;
  for (const call of every) {
    const open = call.state === first && (!opened || first === "ringing");
    opened ||= open;
    if (!call.byHand || call.arranged !== first) call.fold(!call.wanted(open));
    call.arranged = first;
  }
  if (!place.contains(document.activeElement)) putInOrder(every.map((call) => call.box));
  else for (const call of every) if (!call.box.isConnected) place.prepend(call.box);
  showRest(every.filter((call) => call.state === "wrap_up"));
  place.hidden = !calls.size;
  document.documentElement.toggleAttribute("data-calls", calls.size > 0);
  measure();
}

// Only what is new or has changed its place is put in: a browser lays out again whatever is moved.
function putInOrder(boxes) {
  let next = place.firstElementChild;
  for (const box of boxes) {
    if (box === next) next = next.nextElementSibling;
    else place.insertBefore(box, next);
  }
}

// The button before earlier calls that nobody is done with.
const rest = Object.assign(document.createElement("button"), { type: "button", className: "rest" });
rest.addEventListener("click", () => {
  rest.setAttribute("aria-expanded", String(rest.getAttribute("aria-expanded") !== "true"));
  arrange();
});

function showRest(over) {
  const all = rest.getAttribute("aria-expanded") === "true";
  for (const [index, call] of over.entries()) call.box.hidden = index >= LINES && !all && call.folded;
  rest.hidden = over.length <= LINES;
  rest.textContent = (place.dataset.rest ?? "").replace("{count}", String(over.length));
  if (!rest.isConnected) place.append(rest);
}

// The page gives way: beside what is open, and below its end, so that nothing of it is hidden for good.
function measure() {
  const docked = [...calls.values()].some((call) => !call.folded && ["talking", "asked", "wrap_up"].includes(call.state));
  document.documentElement.toggleAttribute("data-docked", docked);
  document.getElementById("main").style.setProperty("--calls", `${place.offsetHeight}px`);
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
  new ResizeObserver(measure).observe(place);
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
    await post(form.action, body);
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
  if (!menu.matches?.("details[data-fetch]") || !menu.open) return;
  const inside = menu.querySelector(":scope > div");
  try {
    inside.innerHTML = await fetchPart(`${menu.dataset.fetch}?part=`);
    inside.querySelector("input")?.focus();
  } catch {
    menu.open = false;
  }
}, true);

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-find]")) return;
  event.preventDefault();
  const found = form.parentElement.querySelector("[data-found]");
  const words = encodeURIComponent(form.elements.q.value);
  try {
    found.innerHTML = await fetchPart(`${form.getAttribute("action")}?part=found&q=${words}`);
  } catch {
    found.textContent = "…";
  }
});

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
