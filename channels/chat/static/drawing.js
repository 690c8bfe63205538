/* Elements without markup: whatever anybody wrote is text, never HTML, and nothing here needs an inline style. */
const SVG = "http://www.w3.org/2000/svg";
const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function icon(...paths) {
  const drawn = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", "true"], ["class", "icon"]]) drawn.setAttribute(name, value);
  for (const path of paths) {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    drawn.append(line);
  }
  return drawn;
}

const ICONS = {
  chat: ["M4 5h16v11H9l-5 4z"],
  down: ["M5 9l7 7 7-7"],
  send: ["M4 12l16-8-6 16-3-7z"],
  clip: ["M8 12.5l6-6a3 3 0 014.2 4.2l-7.6 7.6a5 5 0 01-7-7l7.2-7.3"],
  person: ["M12 4a4 4 0 110 8 4 4 0 010-8z", "M4 20c1-4 4-6 8-6s7 2 8 6"],
  waiting: ["M12 7v5l3 2", "M12 3a9 9 0 110 18 9 9 0 010-18z"],
  done: ["M5 12.5l4.5 4.5L19 7.5"],
  wrong: ["M12 7v6", "M12 16.5v.5", "M12 3a9 9 0 110 18 9 9 0 010-18z"],
  file: ["M7 3h7l4 4v14H7z", "M14 3v4h4"],
};

/* A text with its web addresses as links; nothing else in it means anything. */
function linked(text, hint) {
  const parts = [];
  let place = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(place, found.index), make("a", { href: found[0], target: "_blank", rel: "noopener noreferrer nofollow" },
      found[0], make("span", { class: "unseen" }, ` ${hint}`)));
    place = found.index + found[0].length;
  }
  parts.push(text.slice(place));
  return parts;
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
