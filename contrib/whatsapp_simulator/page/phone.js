// The phone: who writes, what is said, and word from the simulator when something changes.
import { bubble, el } from "./bubbles.js";
import { showControls } from "./controls.js";

const $ = (id) => document.getElementById(id);
const shown = new Map();
let state = null;
let asked = 0;
let ahead = 0;
let chosen = { customer: localStorage.getItem("customer") ?? "", number: "" };
let about = null; // { kind: "reply" | "edit", id }

export async function act(name, said = {}) {
  const body = JSON.stringify({ customer: state?.customer, number: state?.number, ...said });
  const answer = await fetch(`/phone/act/${name}`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!answer.ok) refuse((await answer.json().catch(() => ({}))).error ?? `That did not work (${answer.status})`);
  await look();
  return answer.ok;
}

function refuse(why) {
  $("refusal").textContent = why;
  $("refusal").hidden = false;
  setTimeout(() => { $("refusal").hidden = true; }, 6000);
}

async function look() {
  const mine = ++asked;
  const answer = await fetch(`/phone/state?${new URLSearchParams(chosen)}`);
  const found = await answer.json();
  if (mine !== asked) return; // a later question is under way
  state = found;
  ahead = state.now - Date.now() / 1000;
  show();
  readIfSeen();
}

const reads = () => localStorage.getItem("reads") !== "no";
export const setReads = (on) => { localStorage.setItem("reads", on ? "yes" : "no"); readIfSeen(); };

function readIfSeen() {
  const arrived = state.chat?.messages.some((one) => one.author === "business" && one.status === "delivered");
  const seen = document.visibilityState === "visible" && document.body.dataset.view !== "people";
  if (arrived && seen && reads() && state.pace.read === null) act("read");
}

// Showing

function show() {
  const me = state.customers.find((one) => one.key === state.customer);
  const business = state.numbers.find((one) => one.id === state.number);
  $("business").textContent = business.name;
  $("face").textContent = business.name.slice(0, 1);
  $("text").disabled = $("send").disabled = !me;
  showPeople();
  const trouble = state.webhook.is_verified ? (me && !me.is_online ? "This phone is off: nothing arrives." : "") : state.webhook.trouble;
  $("trouble").textContent = trouble;
  $("trouble").hidden = !trouble;
  showMessages(me); // after what takes room from it
  showControls($("panels"), state, me, reads());
  tick();
}

function showPeople() {
  $("number-choice").hidden = state.numbers.length < 2;
  $("number").replaceChildren(...state.numbers.map((one) => el("option", { value: one.id, selected: one.id === state.number }, `${one.name} +${one.display}`)));
  const people = [...state.customers].sort((one, other) => other.at - one.at);
  const key = JSON.stringify([people, state.customer]);
  if ($("customers").dataset.key === key) return;
  $("customers").dataset.key = key;
  const held = document.activeElement?.dataset?.customer;
  $("customers").replaceChildren(...people.map((one) => el("li", {}, el("button", {
    type: "button", "aria-current": String(one.key === state.customer), "data-customer": one.key, onclick: () => choose(one.key),
  },
  el("span", { className: "name" }, one.name),
  el("span", { className: "faint" }, [one.username && `@${one.username}`, one.phone].filter(Boolean).join(" · ")),
  el("span", { className: "faint" }, !one.is_reachable ? "not on WhatsApp" : !one.is_online ? "phone is off" : one.last || "nothing said yet")))));
  if (held) $("customers").querySelector(`[data-customer="${held}"]`)?.focus();
}

function showMessages(me) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const messages = state.chat?.messages ?? [];
  const before = list.childElementCount;
  const nodes = messages.map((message) => {
    const key = JSON.stringify(message);
    if (shown.get(message.id)?.key !== key) shown.set(message.id, { key, node: bubble(message, acts) });
    return shown.get(message.id).node;
  });
  if (!nodes.length) nodes.push(el("li", { className: "empty" }, me ? `Write something as ${me.name}: that opens the 24 hours in which the business may answer.` : "Add a customer first."));
  // Only what has changed moves, so that nobody loses the focus or the voice note they listen to.
  nodes.forEach((node, place) => { if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null); });
  while (list.childElementCount > nodes.length) list.lastElementChild.remove();
  if (atEnd || nodes.length !== before) toEnd();
}

function toEnd() {
  $("messages").scrollTo({ top: $("messages").scrollHeight, behavior: "instant" });
}

function tick() {
  if (!state?.chat) return;
  const now = Date.now() / 1000 + ahead;
  const typing = now < state.chat.typing_until;
  $("presence").textContent = typing ? "typing…" : `+${state.numbers.find((one) => one.id === state.number).display}`;
  $("presence").classList.toggle("typing", typing);
  const left = Math.max(0, Math.floor((state.chat.window_until ?? 0) - now));
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  $("window").textContent = left ? `open ${two(left / 3600)}:${two((left / 60) % 60)}:${two(left % 60)}` : "closed: templates only";
  $("window").classList.toggle("closed", !left);
  const clock = document.getElementById("clock");
  if (clock) clock.textContent = new Date(now * 1000).toLocaleString();
}

// Doing

function choose(key) {
  chosen.customer = key;
  localStorage.setItem("customer", key);
  forget();
  shown.clear();
  view("chat");
  look();
}

function view(name) {
  document.body.dataset.view = name;
  for (const one of document.querySelectorAll("#views button")) one.setAttribute("aria-current", String(one.dataset.view === name));
  if (name === "chat" && state) readIfSeen();
}

function forget() {
  about = null;
  $("about").hidden = true;
}

function aboutMessage(kind, message) {
  about = { kind, id: message.id };
  $("about").firstElementChild.textContent = `${kind === "reply" ? "Reply to" : "Edit"}: ${message.text || message.kind}`;
  $("about").hidden = false;
  if (kind === "edit") $("text").value = message.text;
  $("text").focus();
}

const acts = {
  reply: (message) => aboutMessage("reply", message),
  edit: (message) => aboutMessage("edit", message),
  react: (message, emoji) => act("react", { to: message.id, emoji }),
  revoke: (message) => act("revoke", { id: message.id }),
  press: (message, button) => act("press", { id: message.id, button }),
  play: (message) => act("play", { id: message.id }),
};

async function send(event) {
  event?.preventDefault();
  const text = $("text").value.trim();
  if (!text || !state) return;
  const doing = about;
  $("text").value = "";
  grow();
  forget();
  const went = doing?.kind === "edit" ? await act("edit", { id: doing.id, text }) : await act("write", { text, reply_to: doing?.id ?? "" });
  if (!went) $("text").value = text;
}

function grow() {
  $("text").rows = Math.min(5, $("text").value.split("\n").length);
}

async function attach() {
  const file = $("file").files[0];
  if (!file) return;
  const form = new FormData();
  form.append("customer", state.customer);
  form.append("number", state.number);
  form.append("caption", $("text").value.trim());
  form.append("file", file);
  $("file").value = "";
  const answer = await fetch("/phone/file", { method: "POST", body: form });
  if (answer.ok) $("text").value = "";
  else refuse(`The file was not sent (${answer.status})`);
}

const SAMPLES = [
  ["picture", "🖼 Picture, caption"], ["voice", "🎤 Voice note"], ["location", "📍 Location"], ["sticker", "🏷 Sticker"],
  ["document", "📄 Document"], ["contact", "👤 Contact"], ["album", "🗂 Album"], ["order", "🛒 Order"],
  ["unsupported", "❔ A poll (unsupported)"], ["unknown", "👽 Unknown type"], ["bodiless", "⚠ Interactive, no body"], ["ad", "📣 From an advertisement"],
];

$("samples").append(...SAMPLES.map(([name, label]) => el("button", {
  type: "button",
  onclick: () => { $("more").open = false; act(name, { text: $("text").value.trim() || "I saw your tea" }); },
}, label)));
$("messages").addEventListener("load", (event) => { if (event.target.closest("li:nth-last-child(-n+3)")) toEnd(); }, true);
$("composer").addEventListener("submit", send);
$("text").addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event); });
$("text").addEventListener("input", grow);
$("file").addEventListener("change", attach);
$("about").lastElementChild.addEventListener("click", forget);
$("number").addEventListener("change", () => { chosen.number = $("number").value; shown.clear(); look(); });
$("meet-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = Object.fromEntries(new FormData(event.target));
  if (!await act("meet", said)) return;
  event.target.reset();
  $("meet").open = false;
  choose(state.customers.at(-1).key);
});
for (const one of document.querySelectorAll("#views button")) one.addEventListener("click", () => view(one.dataset.view));
document.addEventListener("visibilitychange", () => state && readIfSeen());
document.addEventListener("click", (event) => {
  for (const one of document.querySelectorAll("details.menu[open], #more[open]")) if (!one.contains(event.target)) one.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const one of document.querySelectorAll("details.menu[open], #more[open]")) one.open = false;
});

view(new URLSearchParams(location.search).get("view") ?? "chat");
setInterval(tick, 1000);
const changes = new EventSource("/phone/changes");
changes.onmessage = () => look().catch(() => {});
changes.onerror = () => { $("trouble").textContent = "The simulator does not answer. Is it running?"; $("trouble").hidden = false; };
