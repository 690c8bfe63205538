// j and k walk through a list, Enter opens; letters press what carries them in data-key: / search, r answer, n note,
// t take, u back.

const writing = (target) => target.matches("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || document.querySelector("dialog[open]")) {
    if (event.key === "Escape" && writing(event.target)) event.target.blur();
    return;
  }
  if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
    event.preventDefault();
    return;
  }
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!pressed) return;
  event.preventDefault();
  if (pressed.matches("input")) pressed.select();
  else if (pressed.matches("[data-focus][aria-current]")) document.querySelector("reply-box textarea")?.focus();
  else {
    pressed.click();
    // what it unfolds takes the next key: its "toggle" comes later than quick fingers go on
    pressed.closest("summary")?.parentElement.querySelector("[data-filter]")?.focus();
  }
});

function walk(step) {
  const links = [...document.querySelectorAll("[data-walk] a.open")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, here + step));
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}
