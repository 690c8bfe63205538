/* Puts the form into every <div data-touchline-form="KEY"> of the page, in a shadow root so that styles do not mix. */
const BASE = new URL(document.currentScript.src, location.href).href.replace(/\/embed\/[^/]*$/, "");
const MARK = /^(utm_\w+|gclid|gbraid|wbraid|yclid|ymclid|fbclid|msclkid|ttclid|vkclid|_openstat|roistat_visit)$/;
const VISIT = "touchline:visit";

/* Campaign marks belong to the visit, not to the page that happens to hold the form. */
function visit() {
  const seen = recall(SESSION, VISIT);
  const marks = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => MARK.test(name)));
  if (seen && !Object.keys(marks).length) return seen;
  const fresh = { _landing: location.href, _referrer: document.referrer, ...marks };
  remember(SESSION, VISIT, fresh);
  return fresh;
}

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === undefined || value === "") continue;
    if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function caption(tag, field, words) {
  const small = field.required ? null : make("small", {}, words.optional);
  return make(tag, { className: "label", for: tag === "label" ? `f-${field.name}` : undefined }, field.label, small);
}

function tick(field, value, label, required) {
  return make("label", { className: "tick" }, make("input", { type: "checkbox", name: field.name, value, required }), make("span", {}, label));
}

function control(field, words) {
  const common = { id: `f-${field.name}`, name: field.name, required: field.required, placeholder: field.placeholder };
  const limit = field.max_length ? { maxlength: String(field.max_length) } : {};
  switch (field.kind) {
    case "textarea":
      return [caption("label", field, words), make("textarea", { ...common, ...limit, rows: "5" })];
    case "select":
      return [caption("label", field, words), make("select", common, make("option", { value: "" }, words.choose),
        ...field.options.map(([value, label]) => make("option", { value }, label)))];
    case "consent":
    case "checkbox":
      return [tick(field, "yes", field.text || field.label, field.required)];
    case "multiselect":
      return [make("fieldset", { className: "choices" }, caption("legend", field, words),
        make("div", { className: "options" }, ...field.options.map(([value, label]) => tick(field, value, label, false))))];
    case "rating":
      return [make("fieldset", { className: "choices" }, caption("legend", field, words),
        make("div", { className: "ratings" }, ...field.ratings.map((number) => make("label", { className: "rate" },
          make("input", { type: "radio", name: field.name, value: String(number), required: field.required }),
          make("span", {}, String(number))))))];
    default:
      return [caption("label", field, words), make("input", {
        ...common, ...limit, type: field.type, inputmode: field.inputmode, autocomplete: field.autocomplete,
        accept: field.accept, multiple: Boolean(field.multiple), value: field.value,
      })];
  }
}

function build(spec, words) {
  const steps = spec.steps.map((step) => make("fieldset", { className: "step" },
    step.title ? make("legend", {}, step.title) : null,
    make("div", { className: "grid" }, ...step.fields.map((field) => make("div",
      { className: `field field-${field.kind}${field.half ? " half" : ""}`, "data-name": field.name },
      ...control(field, words), field.hint ? make("p", { className: "hint" }, field.hint) : null)))));
  const trap = make("div", { className: "trap", "aria-hidden": "true" }, make("label", { for: "f-trap" }, words.leave_empty),
    make("input", { id: "f-trap", name: spec.honeypot, tabindex: "-1", autocomplete: "off" }));
  const hidden = spec.hidden.map(({ name, value }) => make("input", { type: "hidden", name, value }));
  return make("form", { className: "form", "aria-label": spec.title }, ...hidden, ...steps, trap,
    make("div", { className: "buttons" }, make("button", { className: "send", type: "submit" }, spec.submit || words.send)));
}

/* JSON unless there are files; then multipart. */
function body(form, extra) {
  const data = new FormData(form);
  for (const [name, value] of Object.entries(extra)) if (value) data.append(name, value);
  const files = [...data.values()].some((value) => value instanceof File && value.name);
  if (files) return { body: data, headers: {} };
  const values = {};
  for (const [name, value] of data) {
    if (value instanceof File) continue;
    values[name] = name in values ? [].concat(values[name], value) : value;
  }
  return { body: JSON.stringify(values), headers: { "Content-Type": "application/json" } };
}

function showProblems(form, error, words) {
  form.querySelectorAll(".error, .alert").forEach((one) => one.remove());
  form.querySelectorAll(".wrong").forEach((one) => one.classList.remove("wrong"));
  form.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
  if (!error) return;
  for (const { field, message } of error.fields || []) {
    const place = form.querySelector(`[data-name="${CSS.escape(field)}"]`);
    if (!place) continue;
    place.classList.add("wrong");
    place.append(make("p", { className: "error", id: `e-${field}` }, message));
    const input = place.querySelector("input, textarea, select");
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `e-${field}`);
  }
  const marked = form.querySelector(".wrong");
  const text = marked ? words.mend : `${error.message}. ${error.remedy || ""}`;
  form.prepend(make("div", { className: "alert", role: "alert" }, text));
  form.dispatchEvent(new Event("touchline:wrong"));
  marked?.querySelector("input, textarea, select").focus();
}

const SVG = "http://www.w3.org/2000/svg";
function drawn(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function thanks(spec, words, answer, language) {
  const done = drawn("svg", { class: "done", viewBox: "0 0 48 48", width: "56", height: "56", "aria-hidden": "true" },
    drawn("circle", { cx: "24", cy: "24", r: "22" }), drawn("path", { d: "M15 25l6.5 6.5L34 18" }));
  const [before, after] = words.answer_by.split("{time}");
  const promise = answer.answer_by
    ? make("p", { className: "promise" }, before,
      make("time", { datetime: answer.answer_by }, timeInWords(answer.answer_by, language)), after)
    : make("p", { className: "promise" }, words.answer_soon);
  const own = /^https?:/.test(spec.thanks) ? "" : spec.thanks;
  return make("div", { className: "thanks", role: "status", tabindex: "-1" }, done, make("h2", {}, own || words.thanks_title),
    promise, answer.interaction ? make("p", { className: "reference" }, words.reference.replace("{n}", answer.interaction)) : null);
}

function languageOf(place) {
  const wanted = [place.dataset.lang, document.documentElement.lang, ...(navigator.languages || [])];
  const offered = wanted.map((one) => (one || "").slice(0, 2).toLowerCase()).find((one) => one in FORM.forms);
  return offered || FORM.language;
}

function grow(place) {
  if (place.shadowRoot) return;
  const language = languageOf(place);
  const spec = FORM.forms[language];
  const words = FORM.words[language];
  const root = place.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const form = build(spec, words);
  root.append(form);
  const once = newKey();
  const marks = visit();
  const token = fetchToken(BASE, FORM.key).catch(() => ({ started: "", challenge: null }));
  const proof = token.then(({ challenge }) => solve(challenge)).catch(() => "");
  bringDraft(form, FORM.key);
  const calm = watchDraft(form, FORM.key);
  walkSteps(form, words);
  const button = form.querySelector(".send:not(.next)");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    button.textContent = words.sending;
    keepDraft(form, FORM.key);
    try {
      const extra = {
        ...marks, _page: location.href, _zone: zone(), _lang: language, _started: (await token).started, _proof: await proof,
      };
      const { body: content, headers } = body(form, extra);
      const answer = await fetch(`${BASE}/forms/${encodeURIComponent(FORM.key)}`, {
        method: "POST", body: content, credentials: "omit",
        headers: { ...headers, Accept: "application/json", "Accept-Language": language, "Idempotency-Key": once },
      });
      const said = await answer.json();
      if (!answer.ok) {
        showProblems(form, said.error, words);
        return;
      }
      calm();
      dropDraft(FORM.key);
      place.dispatchEvent(new CustomEvent("touchline:sent", { bubbles: true, composed: true, detail: said }));
      if (/^https?:/.test(spec.thanks)) {
        location.assign(spec.thanks);
        return;
      }
      const page = thanks(spec, words, said, language);
      form.replaceWith(page);
      page.focus();
    } catch {
      showProblems(form, { message: words.offline.replace(/\.$/, "") }, words);
    } finally {
      button.disabled = false;
      button.textContent = spec.submit || words.send;
    }
  });
}

function plant() {
  document.querySelectorAll("[data-touchline-form]").forEach((place) => {
    if (place.dataset.touchlineForm === FORM.key) grow(place);
  });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", plant);
else plant();
