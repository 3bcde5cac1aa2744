// Keeps the page as new as the daemon: one stream of events, and the server's own markup.
"use strict";

const BREATH_MS = 1500, REFRESH_MS = 15000;
let due = null, busy = false;

function soon(wait) {
  if (due === null) due = setTimeout(renew, wait);
}

// What was opened, scrolled to or focused stays so.
function swap(now, fresh) {
  const open = new Set([...now.querySelectorAll("details[open]")].map((one) => one.id));
  const focused = document.activeElement && now.contains(document.activeElement) ? document.activeElement.id : "";
  const said = (document.getElementById("done") || {}).textContent;
  const headline = fresh.querySelector("#headline");
  const shown = now.querySelector("#headline");
  // An element that stays is read aloud when its text changes, and only then.
  if (headline && shown) {
    if (shown.textContent !== headline.textContent) shown.textContent = headline.textContent;
    shown.className = headline.className;
    headline.replaceWith(shown);
  }
  now.replaceChildren(...fresh.childNodes);
  for (const one of now.querySelectorAll("details")) if (open.has(one.id)) one.open = true;
  prepare();
  if (said && document.getElementById("done")) document.getElementById("done").textContent = said;
  if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
}

async function renew() {
  due = null;
  if (busy || document.hidden) return;
  busy = true;
  try {
    const reply = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (reply.ok) {
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      swap(document.getElementById("main"), fresh.getElementById("main"));
      document.title = fresh.title;
      document.querySelector("footer > p").replaceWith(fresh.querySelector("footer > p"));
      document.body.classList.remove("away");
    }
  } catch {
    say("The daemon does not answer; this is what was known last.");
  } finally {
    busy = false;
  }
}

function say(text) {
  const place = document.getElementById("done");
  if (place) place.textContent = text;
}

function prepare() {
  for (const one of document.querySelectorAll(".actions")) one.hidden = false;
}

// Another site's page can neither read this tab's storage nor send the header.
async function token() {
  const kept = sessionStorage.getItem("token");
  if (kept) return kept;
  const dialog = document.getElementById("ask"), field = document.getElementById("token");
  field.value = "";
  dialog.returnValue = "cancel";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  if (dialog.returnValue !== "ok" || !field.value) return null;
  sessionStorage.setItem("token", field.value.trim());
  return field.value.trim();
}

async function act(button) {
  const { drill, method, path } = button.dataset;
  const bearer = await token();
  if (bearer === null) return;
  const headers = { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" };
  const reply = drill === undefined
    ? await fetch(path, { method, headers, body: method === "POST" ? JSON.stringify({ reason: "from the page" }) : undefined })
    : await fetch("/api/v1/drills", { method: "POST", headers, body: JSON.stringify({ groups: [drill] }) });
  if (reply.status === 401) sessionStorage.removeItem("token");
  const problem = reply.ok ? null : await reply.json().catch(() => null);
  say(reply.ok ? "Done." : (problem && problem.why) || `Refused: ${reply.status}`);
  soon(0);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-path], button[data-drill]");
  if (button) act(button).catch(() => say("The daemon does not answer."));
});
document.addEventListener("visibilitychange", () => soon(0));

prepare();
const events = new EventSource("/api/v1/events");
events.onopen = () => soon(0);
for (const name of ["drill.ended", "campaign.ended", "campaign.failed", "path.changed", "part.changed", "alert.changed", "halted", "resumed", "missed"]) {
  events.addEventListener(name, () => soon(BREATH_MS));
}
setInterval(() => soon(0), REFRESH_MS);
