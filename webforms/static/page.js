/* The hosted page works without this script; with it there are steps, drafts, proof of work and no double click. */
const form = document.querySelector("form[data-form]");
const key = form.dataset.form;

function hidden(name, value) {
  let input = form.querySelector(`input[type=hidden][name="${name}"]`);
  if (!input) {
    input = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.prepend(input);
  }
  input.value = value;
}

hidden("_zone", zone());
if (!("filled" in form.dataset)) bringDraft(form, key);
watchDraft(form, key);
walkSteps(form, form.dataset);
document.querySelector(".alert")?.focus();

const proved = "proof" in form.dataset
  ? fetchToken("", key).then(({ challenge }) => solve(challenge)).catch(() => "")
  : null;

const send = form.querySelector(".send:not(.next)");
const label = send.textContent;
let leaving = false;
form.addEventListener("submit", async (event) => {
  if (leaving) {
    event.preventDefault();
    return;
  }
  leaving = true;
  keepDraft(form, key);
  send.disabled = true;
  send.textContent = form.dataset.sending;
  if (proved) {
    event.preventDefault();
    hidden("_proof", await proved);
    HTMLFormElement.prototype.submit.call(form);
  }
});
window.addEventListener("pageshow", () => {
  leaving = false;
  send.disabled = false;
  send.textContent = label;
});
