/* What the visitor sees: a button in the corner, and behind it the talk or a form for when nobody is there. */
const TAG = "touchline-chat";
if (document.querySelector(`${TAG}[data-line="${CSS.escape(CHAT.line)}"]`)) return;

const LANGUAGE = [CHAT.language, SCRIPT_TAG.dataset.lang, document.documentElement.lang, ...(navigator.languages || [])]
  .map((one) => (one || "").slice(0, 2).toLowerCase()).find((one) => CHAT.languages.includes(one)) || CHAT.languages[0];
const WORDS = CHAT.words[LANGUAGE];
const say = (name, values = {}) => WORDS[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
const OPEN = `${KEPT}:open`;
const COARSE = matchMedia("(pointer: coarse)");

const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit" });
const dated = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const opening = new Intl.DateTimeFormat(LANGUAGE, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

function moment(at) {
  const then = new Date(at);
  return then.toDateString() === new Date().toDateString() ? clock.format(then) : dated.format(then);
}

class Widget {
  constructor() {
    this.memory = new Memory();
    this.talk = new Talk();
    this.link = new Link(this.memory, this.talk, () => this.soon());
    this.uploads = new Map(); // id -> { message, files, refused }: files are too large to outlive the page
    this.chosen = [];
    this.asked = false; // has he asked for the form of contacts himself?
    this.drawn = new Map();
    this.build();
    if (recall("sessionStorage", OPEN, false)) this.open(false);
    if (this.memory.all.token && (this.memory.all.began || this.memory.outbox.length)) this.link.follow();
    if (this.memory.outbox.length) this.link.flush();
  }

  build() {
    const host = make(TAG, { "data-line": CHAT.line, lang: LANGUAGE });
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.badge = make("span", { class: "badge", hidden: true });
    this.launcher = make("button", { class: "launcher", type: "button", "aria-expanded": "false", "aria-controls": "panel", onclick: () => this.toggle() },
      icon(...ICONS.chat), this.badge);
    this.box = make("div", { class: `box ${CHAT.side} ${CHAT.theme}` }, this.buildPanel(), this.launcher);
    root.append(this.box);
    document.body.append(host);
    document.addEventListener("click", (event) => {
      const opener = event.target.closest?.("[data-touchline-chat]");
      if (opener?.dataset.touchlineChat === CHAT.line) this.open();
    });
    document.addEventListener("visibilitychange", () => this.soon());
  }

  buildPanel() {
    this.heading = make("h2", { id: "heading", tabindex: "-1" }, say("heading"));
    this.status = make("p", { class: "status", role: "status" });
    this.log = make("div", { class: "log", role: "log", "aria-label": say("log"), tabindex: "0" }, this.bubble({ text: say("greeting"), key: "greeting" }));
    this.typing = make("p", { class: "typing", hidden: true }, say("writing"));
    this.notice = make("p", { class: "notice", role: "alert", hidden: true });
    this.panel = make("section", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "heading", hidden: true,
      onkeydown: (event) => { if (event.key === "Escape") this.close(); } },
    make("header", {}, make("div", {}, this.heading, this.status),
      make("button", { class: "quiet", type: "button", "aria-label": say("close"), title: say("close"), onclick: () => this.close() }, icon(...ICONS.down))),
    this.log, this.typing, this.notice, this.buildComposer(), this.buildContacts());
    return this.panel;
  }

  buildComposer() {
    this.text = make("textarea", { rows: "1", maxlength: String(CHAT.longest), "aria-label": say("write"), placeholder: say("write"),
      onkeydown: (event) => this.key(event), oninput: () => {
        this.memory.change({ draft: this.text.value });
        this.link.typing(Boolean(this.text.value.trim()));
      } });
    this.text.value = this.memory.all.draft || "";
    this.picker = CHAT.files ? make("input", { type: "file", class: "unseen", id: "files", multiple: true, accept: CHAT.files.accept, onchange: () => this.choose() }) : null;
    this.chips = make("div", { class: "chips" });
    this.ticks = [];
    this.contactLink = make("button", { type: "button", class: "link", onclick: () => this.askContacts(true) }, say("contact"));
    this.forgetLink = make("button", { type: "button", class: "link", onclick: () => this.forget() }, say("forget"));
    this.composer = make("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.send(); } },
      this.consent(), this.chips,
      make("div", { class: "row" },
        this.picker, this.picker && make("label", { class: "quiet", for: "files", title: say("attach") }, icon(...ICONS.clip), make("span", { class: "unseen" }, say("attach"))),
        this.text,
        make("button", { class: "send", "aria-label": say("send"), title: say("send") }, icon(...ICONS.send))),
      make("p", { class: "feet" }, this.contactLink, this.forgetLink));
    return this.composer;
  }

  buildContacts() {
    const field = (name, type, autocomplete) => {
      const input = make("input", { id: `c-${name}`, name, type, autocomplete, maxlength: "254", inputmode: type === "text" ? undefined : type });
      return make("div", { class: "field" }, make("label", { for: `c-${name}` }, say(name)), input);
    };
    this.why = make("p", { class: "why" });
    this.wrong = make("p", { class: "wrong", role: "alert", hidden: true });
    this.words = make("textarea", { id: "c-text", name: "text", rows: "3", maxlength: String(CHAT.longest) });
    this.wordsField = make("div", { class: "field" }, make("label", { for: "c-text" }, say("write")), this.words);
    this.backLink = make("button", { type: "button", class: "link", onclick: () => this.askContacts(false) }, say("back"));
    this.contacts = make("form", { class: "contacts", novalidate: true, hidden: true, onsubmit: (event) => { event.preventDefault(); this.leave(); } },
      this.why, field("name", "text", "name"), make("div", { class: "pair" }, field("phone", "tel", "tel"), field("email", "email", "email")),
      this.wordsField, this.consent(), this.wrong,
      make("input", { name: "website", class: "unseen", tabindex: "-1", autocomplete: "off", "aria-hidden": "true" }), // a trap for robots
      make("div", { class: "buttons" }, this.backLink, make("button", { class: "big" }, say("send"))));
    return this.contacts;
  }

  consent() {
    if (!CHAT.consent) return null;
    const tick = make("input", { type: "checkbox" });
    const more = CHAT.link && make("a", { href: CHAT.link, target: "_blank", rel: "noopener noreferrer" }, say("privacy"));
    const label = make("label", { class: "consent" }, tick, make("span", {}, say("consent"), more && " ", more));
    this.ticks = [...(this.ticks || []), { tick, label }];
    return label;
  }

  /* Opening and closing */

  toggle() {
    if (this.panel.hidden) this.open();
    else this.close();
  }

  open(focus = true) {
    this.panel.hidden = false;
    this.box.classList.add("opened");
    remember("sessionStorage", OPEN, true);
    this.link.follow();
    this.render();
    this.log.scrollTop = this.log.scrollHeight;
    if (focus) (COARSE.matches ? this.heading : this.contacts.hidden ? this.text : this.contacts.elements.name).focus();
  }

  close() {
    this.panel.hidden = true;
    this.box.classList.remove("opened");
    remember("sessionStorage", OPEN, false);
    this.render();
    this.launcher.focus();
  }

  /* Writing */

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || COARSE.matches) return;
    event.preventDefault();
    this.send();
  }

  choose() {
    const problem = [...this.picker.files].find((file) => file.size > CHAT.files.bytes) ? "e_file_size"
      : this.chosen.length + this.picker.files.length > CHAT.files.count ? "e_file_count" : null;
    if (problem) this.warn(say(problem, CHAT.files));
    else this.chosen.push(...this.picker.files);
    this.picker.value = "";
    this.drawChips();
    this.text.focus();
  }

  drawChips() {
    this.chips.replaceChildren(...this.chosen.map((file) => make("span", { class: "chip" }, icon(...ICONS.file), make("span", {}, file.name),
      make("button", { type: "button", "aria-label": `${say("remove")}: ${file.name}`, onclick: () => {
        this.chosen = this.chosen.filter((one) => one !== file);
        this.drawChips();
        this.text.focus();
      } }, "×"))));
  }

  /* What goes with every message; null when he has not agreed yet. */
  frame() {
    const agreed = this.memory.all.agreed === String(CHAT.version);
    if (CHAT.consent && !agreed && !this.ticks.some(({ tick }) => tick.checked)) return null;
    const said = CHAT.consent ? (agreed ? { agreed: true } : { consent: true }) : {};
    return { id: newId(), lang: LANGUAGE, at: new Date().toISOString(), ...whereFrom(this.memory), ...said };
  }

  begin() {
    this.memory.change({ began: true, ...(CHAT.consent ? { agreed: String(CHAT.version) } : {}) });
  }

  async send() {
    const text = this.text.value.trim();
    const files = this.chosen;
    if (!text && !files.length) return;
    const frame = this.frame();
    if (!frame) {
      this.warn(say("e_no_consent"));
      return;
    }
    this.warn("");
    this.text.value = "";
    this.link.typing(false);
    this.chosen = [];
    this.drawChips();
    this.begin();
    this.memory.change({ draft: "" });
    this.text.focus();
    const message = { ...frame, text };
    if (files.length) await this.upload(message, files);
    else {
      this.memory.put(message);
      this.render(true);
      await this.link.flush();
    }
  }

  async upload(message, files) {
    this.uploads.set(message.id, { message, files });
    this.render(true);
    try {
      await this.link.deliver(message, await Promise.all(files.map(packed)));
      this.uploads.delete(message.id);
    } catch (error) {
      if (error.status === 401) this.link.noSession();
      this.uploads.set(message.id, { message, files, refused: error.code || "other" });
    }
    this.render(true);
  }

  retry(key) {
    const upload = this.uploads.get(key);
    if (upload) {
      this.upload(upload.message, upload.files);
      return;
    }
    const message = this.memory.outbox.find((one) => one.id === key);
    if (!message) return;
    this.memory.put({ ...message, refused: undefined });
    this.render();
    this.link.flush();
  }

  /* Leaving a phone or an email, with words when nobody is there */

  askContacts(asked) {
    this.asked = asked;
    this.render();
    this.log.scrollTop = this.log.scrollHeight;
    (asked ? this.contacts.elements.name : this.text).focus();
  }

  async leave() {
    const given = Object.fromEntries([...new FormData(this.contacts)].map(([name, value]) => [name, String(value).trim()]).filter(([, value]) => value));
    const frame = this.frame();
    if (!given.phone && !given.email) this.complain(say("either"), given.name ? "phone" : "name");
    else if (!this.wordsField.hidden && !given.text && !this.talk.messages.size) this.complain(`${say("write")}?`, "text");
    else if (!frame) this.complain(say("e_no_consent"));
    else await this.leaveNow({ ...frame, ...given });
  }

  async leaveNow(message) {
    this.complain("");
    const button = this.contacts.querySelector(".big");
    button.disabled = true;
    try {
      await this.link.deliver(message);
      this.left();
    } catch (error) {
      if (error.status === 401) this.link.noSession();
      const field = { bad_phone: "phone", bad_email: "email" }[error.code];
      if (!error.status) {
        this.memory.put(message);
        this.left();
      } else this.complain(say(`e_${error.code}` in WORDS ? `e_${error.code}` : "e_other", CHAT.files || {}), field);
    } finally {
      button.disabled = false;
    }
  }

  left() {
    this.begin();
    this.memory.change({ contacts: true });
    this.asked = false;
    this.words.value = "";
    this.render(true);
    this.heading.focus();
    if (this.memory.outbox.length) this.link.flush();
  }

  complain(text, name) {
    this.wrong.textContent = text;
    this.wrong.hidden = !text;
    for (const input of this.contacts.elements) input.removeAttribute("aria-invalid");
    if (!name) return;
    this.contacts.elements[name].setAttribute("aria-invalid", "true");
    this.contacts.elements[name].focus();
  }

  warn(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  forget() {
    if (!confirm(say("forget_sure"))) return;
    this.memory.forget();
    this.link.tell({ forgotten: true });
    this.link.reset();
    this.close();
  }

  /* Drawing */

  soon() {
    this.drawing ||= requestAnimationFrame(() => this.render());
    if (document.hidden) this.render(); // nothing is drawn there, but receipts and the count go on
  }

  render(down = false) {
    cancelAnimationFrame(this.drawing);
    this.drawing = null;
    this.renderLog(down);
    this.renderStatus();
    this.renderForms();
    this.renderUnread();
  }

  renderLog(down) {
    const below = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    const entries = this.talk.inOrder.map((one) => ({ ...one, key: one.ref || `n${one.id}` }));
    const known = new Set(entries.map((one) => one.key));
    const waiting = [...this.memory.outbox, ...[...this.uploads.values()].map((one) => ({ ...one.message, refused: one.refused, files: one.files }))];
    for (const one of waiting) if (!known.has(one.id)) entries.push({ ...one, key: one.id, mine: true, waiting: true, files: [...(one.files || [])] });
    let before = this.log.firstElementChild;
    for (const one of entries) {
      const look = JSON.stringify([one.text, one.name, one.waiting, one.refused, one.files?.map((file) => file.name)]);
      let drawn = this.drawn.get(one.key);
      if (drawn?.look !== look) {
        const element = this.bubble(one);
        drawn?.element.replaceWith(element);
        drawn = { look, element };
        this.drawn.set(one.key, drawn);
      }
      if (before.nextElementSibling !== drawn.element) before.after(drawn.element);
      before = drawn.element;
    }
    const kept = new Set(entries.map((one) => one.key));
    for (const [key, { element }] of this.drawn) {
      if (kept.has(key)) continue;
      element.remove();
      this.drawn.delete(key);
    }
    this.typing.hidden = !this.talk.writing;
    if (down || below) this.log.scrollTop = this.log.scrollHeight;
  }

  bubble(one) {
    const files = (one.files || []).map((file) => make(file.path ? "a" : "span", file.path ? { class: "chip", href: `${HOOK}/${file.path}`, target: "_blank", rel: "noopener noreferrer", download: file.name } : { class: "chip" },
      icon(...ICONS.file), make("span", {}, file.name)));
    const state = one.waiting ? (one.refused ? "failed" : "sending") : "sent";
    const sign = one.mine && make("span", { class: `sign ${state}`, role: "img", "aria-label": say(state), title: say(state) },
      icon(...ICONS[{ failed: "wrong", sending: "waiting", sent: "done" }[state]]));
    const why = one.refused && make("p", { class: "wrong" }, say(`e_${one.refused}` in WORDS ? `e_${one.refused}` : "e_other", CHAT.files || {}), " ",
      make("button", { type: "button", class: "link", onclick: () => this.retry(one.key) }, say("again")));
    return make("article", { class: `bubble ${one.mine ? "mine" : "theirs"}` },
      one.name && make("p", { class: "who" }, one.name),
      one.text && make("p", { class: "words" }, ...linked(one.text, say("new_window"))),
      files.length > 0 && make("div", { class: "chips" }, ...files), why,
      one.at && make("p", { class: "when" }, make("time", { datetime: one.at }, moment(one.at)), sign));
  }

  renderStatus() {
    const { present, opensAt } = this.talk;
    const away = opensAt ? say("back_at", { time: opening.format(new Date(opensAt)) }) : say("away");
    const text = this.link.connected === false ? say("no_net") : present === null ? say("connecting") : present ? say("here") : away;
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.className = `status ${this.link.connected !== false && present ? "on" : "off"}`;
  }

  renderForms() {
    const closed = this.talk.present === false && !this.memory.all.contacts;
    const form = closed || this.asked;
    this.contacts.hidden = !form;
    this.composer.hidden = form;
    this.wordsField.hidden = !closed;
    this.backLink.hidden = closed;
    this.why.textContent = closed ? say("offline") : say("contact_why");
    this.log.hidden = form && !this.talk.messages.size && !this.memory.outbox.length;
    this.contactLink.hidden = Boolean(this.memory.all.contacts);
    this.forgetLink.hidden = !this.talk.messages.size;
    const agreed = this.memory.all.agreed === String(CHAT.version);
    for (const { label } of this.ticks) label.hidden = agreed;
    const waits = this.memory.outbox.some((one) => one.waits && !one.refused);
    if (waits) this.warn(say("e_throttled"));
    else if (this.notice.textContent === say("e_throttled")) this.warn("");
  }

  renderUnread() {
    const theirs = this.talk.inOrder.filter((one) => !one.mine);
    const looks = !this.panel.hidden && !document.hidden && !this.log.hidden;
    const unread = theirs.filter((one) => one.state !== "read" && !this.link.read.has(one.id)).map((one) => one.id);
    this.link.note(theirs.filter((one) => one.state === "sent").map((one) => one.id), looks ? unread : []);
    const count = looks ? 0 : unread.length;
    this.badge.hidden = !count;
    this.badge.textContent = count > 99 ? "99+" : String(count);
    const label = this.panel.hidden ? say("open") : say("close");
    this.launcher.setAttribute("aria-label", count ? `${label}. ${say("unread", { count })}` : label);
    this.launcher.setAttribute("aria-expanded", String(!this.panel.hidden));
  }
}

function packed(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done({ name: file.name, data: String(reader.result).replace(/^[^,]*,/, "") });
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => new Widget());
else new Widget();
