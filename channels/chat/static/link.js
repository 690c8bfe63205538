/* The way to the hub: one stream for all tabs of this site, messages one after another, each until it is taken. */
const SCRIPT_TAG = document.currentScript;
const HOOK = new URL(SCRIPT_TAG.src, location.href).href.replace(/\/chat\/[^/]*$/, `/hooks/${encodeURIComponent(CHAT.line)}`);
const SILENCE = 40000; // ms without a sign of life, which comes every 15 s
const PATIENCE = 8000; // ms until a stream that says nothing is taken for one that something on the way keeps back
const POLL = 5000;
const TYPING = 4000;
const AGAIN = [1000, 2000, 4000, 8000, 15000, 30000];

const pause = (time) => new Promise((done) => { setTimeout(done, time * (0.8 + Math.random() * 0.4)); });

class Refused extends Error {
  constructor(status, error, wait) {
    super(error?.message || `status ${status}`);
    this.status = status;
    this.code = error?.code || "other";
    this.wait = wait;
  }
}

async function ask(path, body, signal) {
  const answer = await fetch(`${HOOK}/${path}`, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "text/plain" }, credentials: "omit", cache: "no-store", signal,
  });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.error, Number(answer.headers.get("Retry-After")) * 1000);
}

/* With Web Locks one tab does it for all; a page without them does it for itself. */
function alone(what, work) {
  return navigator.locks ? navigator.locks.request(`${KEPT}:${what}`, work) : work();
}

class Link {
  constructor(memory, talk, changed) {
    Object.assign(this, { memory, talk, changed, connected: null, wanted: false, delivered: new Set(), read: new Set(), told: new Set() });
    this.tabs = "BroadcastChannel" in window ? new BroadcastChannel(KEPT) : null;
    this.tabs?.addEventListener("message", ({ data }) => this.hear(data));
    addEventListener("online", () => this.hurry?.());
    addEventListener("pagehide", () => this.stop?.abort());
    addEventListener("pageshow", (event) => { if (event.persisted) this.hurry?.(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.hurry?.(); });
  }

  hear(data) {
    if (data.ask && this.leads) this.tell({ pieces: this.whole() });
    if (data.pieces) this.apply(data.pieces, data.connected ?? true);
    if (data.forgotten) this.reset();
  }

  tell(data) {
    this.tabs?.postMessage(data);
  }

  whole() {
    return [
      { type: "attendance", present: this.talk.present, opens_at: this.talk.opensAt },
      { type: "talk", messages: this.talk.inOrder, writing: this.talk.writing },
    ];
  }

  apply(pieces, connected = true) {
    for (const piece of pieces) this.talk.take(piece);
    if (connected && this.connected === false && this.memory.outbox.length) setTimeout(() => { this.held = 0; this.flush(); });
    this.connected = connected;
    for (const one of this.memory.outbox) if (this.talk.knows(one.id)) this.memory.drop(one.id);
    this.changed();
  }

  async session() {
    return alone("session", async () => {
      const { token, renewed } = this.memory.all;
      if (token && Date.now() - (renewed || 0) < 86400000) return token;
      const opened = await (await ask("session", { token })).json();
      this.memory.change({ token: opened.token, renewed: Date.now() });
      this.apply([{ type: "attendance", ...opened }], this.connected);
      return opened.token;
    });
  }

  /* The talk was forgotten in this browser, here or in another tab. */
  reset() {
    this.memory.own = { outbox: [] };
    this.talk.messages.clear();
    this.talk.writing = false;
    this.stop?.abort();
    this.changed();
  }

  noSession() {
    this.memory.change({ token: null });
  }

  /* Follow for good, once there is anything to follow. */
  follow() {
    if (this.wanted) return;
    this.wanted = true;
    this.tell({ ask: true });
    alone("stream", async () => {
      this.leads = true;
      for (let tries = 0; ;) {
        const began = Date.now();
        try {
          await this.stream();
        } catch (error) {
          if (error.status === 401) this.noSession();
          if (error.status === 429) await pause(error.wait || 5000);
          if (error.status === 403 || error.status === 404) return;
        }
        tries = Date.now() - began > 30000 ? 0 : tries + 1;
        if (this.connected !== false && tries > 1) {
          this.connected = false;
          this.tell({ pieces: [], connected: false });
          this.changed();
        }
        await Promise.race([pause(AGAIN[Math.min(tries, AGAIN.length - 1)]), new Promise((done) => { this.hurry = done; })]);
      }
    });
  }

  async stream() {
    const token = await this.session();
    this.stop = new AbortController();
    let timer = setTimeout(() => this.stop.abort(), PATIENCE);
    let heard = false;
    try {
      const answer = await ask("follow", { token }, this.stop.signal);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { value, done } = await reader.read();
        if (done) return;
        heard = true;
        clearTimeout(timer);
        timer = setTimeout(() => this.stop.abort(), SILENCE);
        const parts = (rest + value).split("\n\n");
        rest = parts.pop();
        const pieces = parts.filter((part) => part.startsWith("data: ")).map((part) => JSON.parse(part.slice(6)));
        this.apply(pieces);
        this.tell({ pieces });
      }
    } catch (error) {
      if (!heard && error.name === "AbortError" && !document.hidden) await this.poll(token);
      else throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /* Something between us keeps streams back: ask now and then, a minute long, then try the stream again. */
  async poll(token) {
    for (let times = 0; times < 12; times += 1) {
      const { talk, attendance } = await (await ask("talk", { token })).json();
      this.apply([attendance, talk]);
      this.tell({ pieces: [attendance, talk] });
      await pause(POLL);
    }
  }

  /* Everything in the outbox, oldest first. What is refused for good is marked; what only cannot be now waits. */
  async flush() {
    this.more = true;
    if (this.flushing) return;
    this.flushing = true;
    try {
      while (this.more) {
        this.more = false;
        await alone("outbox", () => this.flushNow());
      }
    } finally {
      this.flushing = false;
    }
  }

  async flushNow() {
    for (const message of this.memory.outbox) {
      if (Date.now() < (this.held || 0)) return;
      if (message.refused) continue;
      try {
        await this.deliver(message);
      } catch (error) {
        if (!await this.mayTryAgain(message, error)) continue;
        const time = error.wait || 3000;
        this.held = Date.now() + time;
        setTimeout(() => { this.held = 0; this.flush(); }, time);
        return;
      }
    }
  }

  async mayTryAgain(message, error) {
    if (error.status === 401) {
      this.noSession();
      return true;
    }
    if (error.status === 429) {
      this.memory.put({ ...message, waits: true });
      this.changed();
      return true;
    }
    if (!error.status || error.status >= 500) return true;
    this.memory.put({ ...message, refused: error.code });
    this.changed();
    return false;
  }

  async deliver(message, files) {
    const token = await this.session();
    const { refused, waits, at, ...body } = message;
    const { id } = await (await ask("say", { ...body, token, files })).json();
    const { page, landing, referrer, marks, zone, consent, token: sent, lang, ...shown } = body;
    this.talk.take({
      type: "talk", writing: this.talk.writing,
      messages: [{ name: null, state: "", files: [], ...(this.talk.messages.get(id) || {}), ...shown, id, ref: message.id, mine: true, at }],
    });
    this.memory.drop(message.id);
    this.changed();
    this.tell({ pieces: [{ type: "talk", writing: this.talk.writing, messages: [this.talk.messages.get(id)] }] });
    this.follow();
  }

  /* That he types is told every few seconds; once he has written, for nobody would see it before. */
  typing(on) {
    const { token, began } = this.memory.all;
    if (!token || !began || (on ? Date.now() - (this.typed || 0) < TYPING : !this.typed)) return;
    this.typed = on ? Date.now() : 0;
    ask("typing", { token, on }).catch(() => {});
  }

  /* What of theirs is here, and what was looked at: told once each, again if that did not arrive. */
  note(delivered, read) {
    for (const id of delivered) this.delivered.add(id);
    for (const id of read) this.read.add(id);
    clearTimeout(this.noting);
    this.noting = setTimeout(() => this.tellSeen(), 300);
  }

  async tellSeen() {
    const fresh = (ids, what) => [...ids].filter((id) => !this.told.has(`${what}${id}`));
    const [delivered, read] = [fresh(this.delivered, "d"), fresh(this.read, "r")];
    if (!delivered.length && !read.length) return;
    try {
      await ask("seen", { token: this.memory.all.token, delivered, read });
      for (const id of delivered) this.told.add(`d${id}`);
      for (const id of read) this.told.add(`r${id}`);
    } catch (error) {
      if (error.status !== 401) this.noting = setTimeout(() => this.tellSeen(), error.wait || 5000);
    }
  }
}
