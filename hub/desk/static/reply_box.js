// <reply-box>: saves the draft as it is typed, tells colleagues that somebody sits at it, uploads files at once.
import { post, token } from "./asking.js";

const PAUSE = 900; // ms without a key before the draft is saved
const STILL_HERE = 20000;

class ReplyBox extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form.slip");
    if (!this.form) return;
    this.status = this.querySelector("[data-status]");
    this.form.addEventListener("keydown", (event) => this.key(event));
    this.form.addEventListener("click", (event) => this.drop(event));
    this.form.addEventListener("submit", () => this.leave());
    this.querySelector("[data-upload]")?.addEventListener("change", (event) => this.upload(event.target));
    this.form.addEventListener("dragover", (event) => event.preventDefault());
    this.form.addEventListener("drop", (event) => this.dropped(event));
    if (this.hasAttribute("draft") && this.form.matches("[data-write]")) this.keepDraft();
  }

  disconnectedCallback() {
    clearInterval(this.beat);
    removeEventListener("pagehide", this.away);
  }

  keepDraft() {
    this.away = () => this.getUp();
    this.form.addEventListener("input", () => { this.changed = true; this.sitDown(); this.later(); });
    this.form.addEventListener("focusin", () => this.sitDown());
    this.form.addEventListener("focusout", () => setTimeout(() => {
      if (!this.form.contains(document.activeElement) && !this.text()) this.getUp();
    }, 300));
    addEventListener("pagehide", this.away);
  }

  text() {
    return this.form.elements.text.value.trim();
  }

  sitDown() {
    if (this.seated || this.left) return;
    this.seated = true;
    this.save(true);
    this.beat = setInterval(() => this.save(true), STILL_HERE);
  }

  getUp() {
    if (!this.seated || this.left) return;
    this.seated = false;
    clearInterval(this.beat);
    clearTimeout(this.timer);
    const body = this.body(false);
    body.set("csrf", token());
    navigator.sendBeacon(this.getAttribute("draft"), body);
  }

  leave() {
    this.left = true; // what is sent needs no draft any more
    clearInterval(this.beat);
    clearTimeout(this.timer);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(true), PAUSE);
  }

  body(open) {
    const whole = new FormData(this.form);
    const body = new FormData();
    for (const name of ["text", "subject", "to", "cc", "line"]) if (whole.has(name)) body.set(name, whole.get(name));
    for (const one of whole.getAll("attachment")) body.append("attachment", one);
    if (open) body.set("open", "1");
    return body;
  }

  async save(open) {
    const told = this.changed;
    try {
      await post(this.getAttribute("draft"), this.body(open));
      this.changed = false;
      if (told) this.say("saved");
    } catch {
      if (told) this.say("failed");
    }
  }

  say(what) {
    if (this.status) this.status.textContent = this.status.dataset[what] || "";
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("[data-send]")) {
      event.preventDefault();
      this.form.requestSubmit(this.form.querySelector("button.main-act"));
    }
  }

  drop(event) {
    const button = event.target.closest("[data-drop]");
    if (!button) return;
    button.closest(".file").remove();
    this.changed = true;
    if (this.away) this.later();
  }

  dropped(event) {
    const input = this.querySelector("[data-upload]");
    if (!input || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    this.send(event.dataTransfer.files, input.dataset.upload);
  }

  async upload(input) {
    await this.send(input.files, input.dataset.upload);
    input.value = "";
  }

  async send(files, address) {
    if (!files.length) return;
    this.say("uploading");
    const body = new FormData();
    for (const file of files) body.append("file", file);
    try {
      const answer = await post(address, body);
      for (const kept of answer.attachments) this.querySelector("[data-files]").append(chip(kept));
      this.say("");
      this.changed = true;
      if (this.away) this.later();
    } catch {
      this.say("tooLarge");
    }
  }
}

function chip(kept) {
  const whole = document.createElement("span");
  whole.className = "file";
  const number = Object.assign(document.createElement("input"), { type: "hidden", name: "attachment", value: kept.id });
  const name = Object.assign(document.createElement("span"), { className: "clip", textContent: kept.name });
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "×" });
  drop.dataset.drop = "";
  whole.append(number, name, drop);
  return whole;
}

customElements.define("reply-box", ReplyBox);
