// How scripts ask the server: with the session's token, and saying that it is a script that asks.

export const token = () => document.querySelector('meta[name="csrf"]').content;

export async function post(address, form, more = {}) {
  const answer = await fetch(address, {
    method: "POST",
    body: form,
    headers: { "X-CSRF-Token": token(), Accept: "application/json" },
    credentials: "same-origin",
    ...more,
  });
  if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { told: await reason(answer) });
  return answer.json();
}

async function reason(answer) {
  try {
    return (await answer.json()).error; // {message, field, remedy}, in the page's language
  } catch {
    return undefined;
  }
}

export async function fetchPart(address, headers = {}) {
  const answer = await fetch(address, { credentials: "same-origin", headers });
  if (answer.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Error("signed out");
  }
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.text();
}
