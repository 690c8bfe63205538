/* What page and snippet have in common. */
const DRAFT_LIFE = 7 * 24 * 3600 * 1000;

function remember(store, name, value) {
  try {
    if (value === null) store().removeItem(name);
    else store().setItem(name, JSON.stringify(value));
  } catch { /* storage may be forbidden or full: the form works without it */ }
}

function recall(store, name) {
  try {
    return JSON.parse(store().getItem(name));
  } catch {
    return null;
  }
}

const LOCAL = () => window.localStorage;
const SESSION = () => window.sessionStorage;
const draftName = (key) => `touchline:draft:${key}`;

/* Controls whose content may be kept on the visitor's own machine: no files, no consents, nothing hidden. */
function drafted(form) {
  return [...form.elements].filter(
    (one) => one.name && !["hidden", "file", "submit", "password"].includes(one.type)
      && !one.closest(".trap, .field-consent"),
  );
}

function keepDraft(form, key) {
  const values = drafted(form)
    .map((one) => (["checkbox", "radio"].includes(one.type) ? (one.checked ? [one.name, one.value] : null) : [one.name, one.value]))
    .filter((pair) => pair && pair[1]);
  remember(LOCAL, draftName(key), values.length ? { at: Date.now(), values } : null);
}

function bringDraft(form, key) {
  const draft = recall(LOCAL, draftName(key));
  if (!draft || Date.now() - draft.at > DRAFT_LIFE) return;
  for (const one of drafted(form)) {
    for (const [name, value] of draft.values) {
      if (name !== one.name) continue;
      if (["checkbox", "radio"].includes(one.type)) one.checked = one.checked || one.value === value;
      else if (!one.value || one.tagName === "SELECT") one.value = value;
    }
  }
}

function dropDraft(key) {
  remember(LOCAL, draftName(key), null);
}

/* Save a moment after the last key. */
function watchDraft(form, key) {
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => keepDraft(form, key), 300);
  });
  return () => clearTimeout(timer);
}

function zone() {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  } catch {
    return "";
  }
}

/* "Friday, 20 November, 15:30 (GMT+1)" in the visitor's own zone. */
function timeInWords(iso, language) {
  return new Intl.DateTimeFormat(language, {
    weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hour12: false, timeZoneName: "short",
  }).format(new Date(iso));
}

/* Proof of work (altcha, first version): the number whose digest with the salt is the challenge. */
async function solve(challenge) {
  if (!challenge || !window.crypto || !crypto.subtle) return "";
  const encoder = new TextEncoder();
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const BATCH = 200;
  for (let from = 0; from <= challenge.maxNumber; from += BATCH) {
    const digests = [];
    for (let number = from; number < from + BATCH && number <= challenge.maxNumber; number += 1) {
      digests.push(crypto.subtle.digest(challenge.algorithm, encoder.encode(challenge.salt + number)));
    }
    const found = (await Promise.all(digests)).findIndex((digest) => hex(digest) === challenge.challenge);
    if (found >= 0) {
      const { algorithm, salt, signature } = challenge;
      return btoa(JSON.stringify({ algorithm, challenge: challenge.challenge, number: from + found, salt, signature }));
    }
  }
  return "";
}

async function fetchToken(base, key) {
  const answer = await fetch(`${base}/forms/${encodeURIComponent(key)}/token`, { credentials: "omit" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/* One step after another; a step is left only when its fields are in order. */
function walkSteps(form, words) {
  const steps = [...form.querySelectorAll(".step")];
  if (steps.length < 2) return;
  const send = form.querySelector(".send");
  const back = Object.assign(document.createElement("button"), { type: "button", className: "back", textContent: words.back });
  const next = Object.assign(document.createElement("button"), { type: "button", className: "send next", textContent: words.next });
  send.before(back, next);
  const progress = Object.assign(document.createElement("div"), { className: "progress" });
  const caption = document.createElement("span");
  caption.setAttribute("aria-live", "polite");
  const bar = Object.assign(document.createElement("progress"), { max: steps.length });
  bar.setAttribute("aria-hidden", "true");
  progress.append(caption, bar);
  steps[0].before(progress);
  let current = 0;
  const show = (number, focus) => {
    current = number;
    steps.forEach((step, place) => { step.hidden = place !== number; });
    back.hidden = number === 0;
    next.hidden = number === steps.length - 1;
    send.hidden = !next.hidden;
    bar.value = number + 1;
    caption.textContent = words.step.replace("{n}", number + 1).replace("{total}", steps.length);
    if (focus) steps[number].querySelector("input, textarea, select")?.focus();
  };
  const inOrder = () => {
    const wrong = [...steps[current].querySelectorAll("input, textarea, select")].find((one) => !one.checkValidity());
    wrong?.reportValidity();
    return !wrong;
  };
  back.addEventListener("click", () => show(current - 1, true));
  next.addEventListener("click", () => inOrder() && show(current + 1, true));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "INPUT" && !next.hidden) {
      event.preventDefault();
      next.click();
    }
  });
  form.addEventListener("touchline:wrong", () => show(Math.max(0, steps.findIndex((step) => step.querySelector(".wrong"))), false));
  show(Math.max(0, steps.findIndex((step) => step.querySelector(".wrong"))), false);
}
