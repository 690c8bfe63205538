// <time-left due started>: goes on counting what the server wrote, in the page's language.

const language = document.documentElement.lang || "en";
const overdue = document.body.dataset.overdue || "{span}";
export const clock = new Set(); // what counts: everything in it is told the time each second
const units = new Map();

function unit(name, value) {
  if (!units.has(name)) {
    units.set(name, new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }));
  }
  return units.get(name).format(value);
}

export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [day, hour, minute] = [Math.floor(whole / 86400), Math.floor(whole / 3600), Math.floor(whole / 60)];
  if (day) return [unit("day", day), hour % 24 ? unit("hour", hour % 24) : ""].join(" ").trim();
  if (hour) return [unit("hour", hour), minute % 60 ? unit("minute", minute % 60) : ""].join(" ").trim();
  return minute ? unit("minute", minute) : unit("second", whole);
}

class TimeLeft extends HTMLElement {
  connectedCallback() {
    this.due = Date.parse(this.getAttribute("due") || "");
    this.began = Date.parse(this.getAttribute("started") || "");
    if (Number.isNaN(this.due)) return;
    clock.add(this);
  }

  disconnectedCallback() {
    clock.delete(this);
  }

  count(now) {
    const left = (this.due - now) / 1000;
    const whole = (this.due - this.began) / 1000;
    const used = left <= 0 ? 100 : whole > 0 ? 100 - (100 * left) / whole : 0;
    const words = this.querySelector(".words");
    const text = left < 0 ? overdue.replace("{span}", span(-left)) : span(left);
    if (words && words.textContent !== text) words.textContent = text;
    this.querySelector("rect")?.setAttribute("width", String(Math.max(0, Math.min(100, Math.round(used)))));
    this.setAttribute("state", left < 0 ? "late" : used >= 75 ? "hurry" : "calm");
  }
}

setInterval(() => {
  const now = Date.now();
  for (const each of clock) each.count(now);
}, 1000);

customElements.define("time-left", TimeLeft);
