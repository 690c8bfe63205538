// <visitor-types client hidden>: shown while the visitor of a website chat types. He says so every four seconds; what he
// writes then, or nine seconds of silence, hide it.
import { watch } from "./live.js";

const LASTS = 9000; // ms

class VisitorTypes extends HTMLElement {
  connectedCallback() {
    this.unwatch = watch((event) => this.hear(event));
  }

  disconnectedCallback() {
    this.unwatch();
    clearTimeout(this.timer);
  }

  hear(event) {
    if (String(event.client ?? "") !== this.getAttribute("client")) return;
    if (event.subject === "visitor") this.show(event.what === "typing");
    else if (event.subject === "interaction" && event.what === "new") this.show(false);
  }

  show(on) {
    clearTimeout(this.timer);
    this.hidden = !on;
    if (on) this.timer = setTimeout(() => { this.hidden = true; }, LASTS);
  }
}

customElements.define("visitor-types", VisitorTypes);
