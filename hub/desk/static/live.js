// <live-part src subjects [conversation] [client] [operator]>: a part of the page that is fetched again when an event says that
// something of its subjects has changed. One stream per page; when it comes back after a break, all parts are fetched.
import { fetchPart } from "./asking.js";

const GATHER = 120; // ms: several events of one commit make one fetch
const CALM = 1500; // ms: as more and more happens, a part is fetched more and more seldom, down to once in so long
const parts = new Set();

class LivePart extends HTMLElement {
  connectedCallback() {
    this.subjects = new Set((this.getAttribute("subjects") || "").split(","));
    parts.add(this);
    listen();
  }

  disconnectedCallback() {
    parts.delete(this);
    clearTimeout(this.timer);
    this.awaits = false;
  }

  concerns(event) {
    if (!this.subjects.has(event.subject)) return false;
    const conversation = this.getAttribute("conversation");
    const client = this.getAttribute("client");
    const operator = this.getAttribute("operator");
    if (operator) return event.operator === operator;
    if (conversation && String(event.conversation ?? "") === conversation) return true;
    if (client && String(event.client ?? "") === client) return true;
    return !conversation && !client;
  }

  soon() {
    if (this.awaits) return;
    this.awaits = true;
    const since = performance.now() - (this.fetched ?? -CALM);
    this.pace = since < CALM ? Math.min(CALM, this.pace * 2) : GATHER;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), Math.max(GATHER, this.pace - since));
  }

  async refresh() {
    this.awaits = false;
    this.fetched = performance.now();
    const plays = [...this.querySelectorAll("audio")].some((each) => !each.paused);
    if (plays || this.querySelector("details.menu[open], form :focus:not(button)")) {
      this.timer = setTimeout(() => this.refresh(), 1500); // somebody is using what would be replaced
      return;
    }
    let html;
    try {
      html = await fetchPart(this.getAttribute("src"));
    } catch {
      return; // the stream's own return brings the next try
    }
    if (html === this.last) return;
    this.last = html;
    this.replace(html);
  }

  replace(html) {
    const known = new Set([...this.querySelectorAll("[data-id]")].map((each) => each.dataset.id));
    const focused = this.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const unfolded = [...this.querySelectorAll("article[id] details[open]")].map((each) => each.closest("article").id);
    this.innerHTML = html;
    if (focused) this.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    for (const id of unfolded) this.querySelector(`#${CSS.escape(id)} details`)?.setAttribute("open", "");
    for (const item of this.querySelectorAll("[data-id]")) {
      if (known.size && !known.has(item.dataset.id)) item.classList.add("fresh");
    }
    this.dispatchEvent(new CustomEvent("refreshed", { bubbles: true }));
  }
}

let stream;
let broken = false;
const hearers = new Map();
const watchers = new Set();

/* Every event, as it comes, until what this answers is called. */
export function watch(heard) {
  watchers.add(heard);
  return () => watchers.delete(heard);
}

export function hear(name, heard) {
  hearers.set(name, (message) => heard(JSON.parse(message.data)));
  stream?.addEventListener(name, hearers.get(name));
}

function listen() {
  if (stream) return;
  stream = new EventSource("/desk/events");
  stream.addEventListener("changes", (message) => {
    const events = JSON.parse(message.data);
    for (const part of parts) if (events.some((event) => part.concerns(event))) part.soon();
    for (const heard of watchers) for (const event of events) heard(event);
  });
  for (const [name, heard] of hearers) stream.addEventListener(name, heard);
  stream.addEventListener("again", all);
  stream.addEventListener("hello", () => {
    document.documentElement.dataset.live = "on";
    document.getElementById("offline").hidden = true;
    if (broken) all();
    broken = false;
  });
  stream.onerror = () => {
    broken = true;
    delete document.documentElement.dataset.live;
    setTimeout(() => { if (broken) document.getElementById("offline").hidden = false; }, 4000);
    if (stream.readyState === EventSource.CLOSED) {
      stream = undefined;
      setTimeout(listen, 4000);
    }
  };
}

function all() {
  for (const part of parts) part.soon();
}

addEventListener("pagehide", () => { stream?.close(); stream = undefined; });
addEventListener("pageshow", (event) => { if (event.persisted && parts.size) { broken = true; listen(); } });
customElements.define("live-part", LivePart);
