// A recording that cannot be played says so; and only one is heard at a time.
document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLAudioElement) event.target.parentElement.querySelector("p").hidden = false;
}, true);

document.addEventListener("play", (event) => {
  if (!(event.target instanceof HTMLAudioElement)) return;
  event.target.parentElement.querySelector("p").hidden = true;
  for (const each of document.querySelectorAll("audio")) if (each !== event.target) each.pause();
}, true);
