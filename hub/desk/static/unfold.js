// What is folded away is fetched when it is unfolded: the full text, and mail as it was laid out, in a frame that can
// run nothing.
import { fetchPart } from "./asking.js";

document.addEventListener("toggle", async (event) => {
  const box = event.target;
  if (!box.open || box.dataset.done) return;
  if (box.dataset.load) {
    box.dataset.done = "1";
    const holder = document.createElement("div");
    holder.innerHTML = await fetchPart(`${box.dataset.load}?part=words`);
    box.querySelector("a")?.replaceWith(holder);
  } else if (box.dataset.frame) {
    box.dataset.done = "1";
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
    frame.setAttribute("title", box.querySelector("summary").textContent);
    frame.addEventListener("load", () => {
      const height = frame.contentDocument?.documentElement.scrollHeight;
      if (height) frame.style.height = `${Math.min(height + 4, 2400)}px`;
    });
    frame.src = box.dataset.frame;
    box.querySelector("a")?.replaceWith(frame);
  }
}, true);
