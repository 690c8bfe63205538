/* What this browser knows of the talk: the token, what is not out yet, and the messages as the hub tells them. */
const KEPT = `touchline:chat:${CHAT.line}`;
const MARKS = /^(utm_\w+|gclid|gbraid|wbraid|yclid|ymclid|fbclid|msclkid|ttclid|vkclid|_openstat|roistat_visit)$/;
const VISIT = "touchline:visit";

function recall(store, key, otherwise) {
  try {
    return JSON.parse(window[store].getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function remember(store, key, value) {
  try {
    window[store].setItem(key, JSON.stringify(value));
  } catch { /* a browser that keeps nothing forgets the talk with the page */ }
}

class Memory {
  constructor() {
    this.own = { outbox: [] };
  }

  /* Other tabs write here too: always read before changing. */
  get all() {
    this.own = { ...this.own, ...recall("localStorage", KEPT, {}) };
    return this.own;
  }

  change(changes) {
    this.own = { ...this.all, ...changes };
    remember("localStorage", KEPT, this.own);
  }

  forget() {
    this.own = { outbox: [] };
    try {
      window.localStorage.removeItem(KEPT);
    } catch { /* nothing was kept */ }
  }

  get outbox() {
    return this.all.outbox || [];
  }

  /* A message keeps its place among the others. */
  put(message) {
    const outbox = [...this.outbox];
    const place = outbox.findIndex((one) => one.id === message.id);
    outbox.splice(place < 0 ? outbox.length : place, 1, message);
    this.change({ outbox: outbox.slice(-50) });
  }

  drop(id) {
    this.change({ outbox: this.outbox.filter((one) => one.id !== id) });
  }
}

/* Where he came from belongs to the visit; it is told with the first message and when the page is another. */
function visit() {
  const seen = recall("sessionStorage", VISIT, null);
  const marks = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => MARKS.test(name)));
  if (seen && !Object.keys(marks).length) return seen;
  const fresh = { _landing: location.href, _referrer: document.referrer, ...marks };
  remember("sessionStorage", VISIT, fresh);
  return fresh;
}

function whereFrom(memory) {
  const page = location.href.slice(0, 2000);
  if (memory.all.page === page) return {};
  memory.change({ page });
  const { _landing: landing, _referrer: referrer, ...marks } = visit();
  return { page, landing, referrer, marks, zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}

class Talk {
  constructor() {
    this.messages = new Map();
    this.writing = false;
    this.present = null;
    this.opensAt = null;
  }

  /* A piece of the stream; answers whether anything has changed. */
  take(piece) {
    if (piece.type === "attendance") {
      this.present = piece.present;
      this.opensAt = piece.opens_at;
      return;
    }
    for (const one of piece.messages) this.messages.set(one.id, one);
    this.writing = piece.writing;
  }

  get inOrder() {
    return [...this.messages.values()].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : one.id - other.id));
  }

  knows(ref) {
    return [...this.messages.values()].some((one) => one.ref === ref);
  }
}
