// <time-since at>: counts how long something lasts. <come-again seconds>: what it lies in is fetched again that often,
// because some figures change by time alone.

const shown = new Set();

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

class TimeSince extends HTMLElement {
  connectedCallback() {
    this.at = Date.parse(this.getAttribute("at") || "");
    if (!Number.isNaN(this.at)) shown.add(this);
  }

  disconnectedCallback() {
    shown.delete(this);
  }
}

setInterval(() => {
  for (const each of shown) each.textContent = clock((Date.now() - each.at) / 1000);
}, 1000);

class ComeAgain extends HTMLElement {
  connectedCallback() {
    const often = Number(this.getAttribute("seconds")) * 1000;
    this.timer = setInterval(() => this.closest("live-part")?.soon(), often);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }
}

customElements.define("time-since", TimeSince);
customElements.define("come-again", ComeAgain);
