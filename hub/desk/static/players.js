// A recording that cannot be played says why; and only one is heard at a time.
const told = (player) => player.parentElement.querySelectorAll("p");

async function isForeign(player) {
  const answer = await fetch(player.currentSrc || player.src, { method: "HEAD" });
  return answer.ok && player.canPlayType(answer.headers.get("Content-Type") ?? "") === "";
}

document.addEventListener("error", async (event) => {
  const player = event.target;
  if (!(player instanceof HTMLAudioElement)) return;
  const foreign = await isForeign(player).catch(() => false);
  const [later, format] = told(player);
  later.hidden = foreign;
  format.hidden = !foreign;
  player.hidden = foreign;
}, true);

document.addEventListener("play", (event) => {
  if (!(event.target instanceof HTMLAudioElement)) return;
  for (const each of told(event.target)) each.hidden = true;
  for (const each of document.querySelectorAll("audio")) if (each !== event.target) each.pause();
}, true);
