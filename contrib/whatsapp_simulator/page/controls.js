// The controls: time, faults, mischief, the customer's phone, templates, the webhook.
import { el } from "./bubbles.js";
import { act, setReads } from "./phone.js";

const MISCHIEF = {
  batch_seconds: "Batch updates for (s)", duplicates: "Tell each again (times)", disorder_seconds: "Disorder within (s)",
  concurrency: "POSTs at the same time", signing: "Signature", closed: "Refuse closed window", status_first: "Status before the answer",
  skips_delivered: "Skip “delivered”", slow_answers: "Answer after (s)", rates: "Rate limits",
};
const PACE = { sent: "Sent after (s)", delivered: "Delivered after (s)", read: "Read after (s; empty: by hand)", played: "Played after (s)" };
const JUMPS = [["+1 min", 60], ["+1 h", 3600], ["+23 h", 82800], ["+24 h", 86400], ["+7 days", 604800]];

export function showControls(place, state, me, reads) {
  const key = JSON.stringify([state.mischief, state.pace, state.templates, state.webhook, state.faults, state.token_is_good, me, reads]);
  // Nobody likes a field that is built anew while one types in it.
  const busy = place.contains(document.activeElement) && ["INPUT", "SELECT"].includes(document.activeElement.tagName) && document.activeElement.type !== "checkbox";
  if (place.dataset.key === key || busy) return;
  place.dataset.key = key;
  const held = document.activeElement?.dataset?.focus;
  place.replaceChildren(time(), faults(state), mischief(state), customer(me, reads), pace(state), app(me), templates(state), webhook(state.webhook));
  if (held) place.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus();
}

const panel = (title, ...children) => el("section", { className: "panel" }, el("h3", {}, title), ...children);
const row = (...children) => el("div", { className: "row" }, ...children);
const button = (label, doing) => el("button", { type: "button", onclick: doing, "data-focus": label }, label);
const options = (values, current) => values.map(([value, label]) => el("option", { value, selected: String(value) === String(current) }, label));
const check = (label, checked, doing) => el("label", {}, label, el("input", { type: "checkbox", checked, "data-focus": label, onchange: (event) => doing(event.target.checked) }));

function field(act_, name, label, value, choices) {
  const say = (said) => act(act_, { customer: undefined, number: undefined, [name]: said });
  if (typeof value === "boolean") return check(label, value, say);
  const changed = (event) => { event.target.blur(); say(event.target.value); };
  if (choices) return el("label", {}, label, el("select", { onchange: changed }, ...options(choices.map((one) => [one, one]), value)));
  return el("label", {}, label, el("input", { type: "number", min: 0, max: 100000, step: "any", value: value ?? "", onchange: changed }));
}

function time() {
  return panel("Time machine", el("p", { id: "clock", className: "small" }), row(...JUMPS.map(([label, seconds]) => button(label, () => act("pass", { seconds })))));
}

function faults(state) {
  const codes = el("select", { "aria-label": "Error code" }, ...options(Object.entries(state.codes).map(([code, title]) => [code, `${code} ${title}`]), 131026));
  const later = el("input", { type: "checkbox" });
  return panel("Fail the next message",
    row(codes, button("Fail", () => act("fail", { code: codes.value, later: later.checked }))),
    el("label", {}, "by a status, later", later),
    row(button("502, no JSON", () => act("break")), button("No answer at all", () => act("lose"))),
    check("Access token is good", state.token_is_good, (on) => act("token", { is_good: on })),
    state.faults ? el("p", { className: "small bad" }, `${state.faults} to come`) : null);
}

function mischief(state) {
  return panel("Mischief", ...Object.entries(state.mischief).map(([name, value]) => field("mischief", name, MISCHIEF[name] ?? name, value, state.choices[name])));
}

function pace(state) {
  return panel("Pace of statuses", ...Object.entries(state.pace).map(([name, value]) => field("pace", name, PACE[name] ?? name, value)));
}

function customer(me, reads) {
  if (!me) return panel("The customer's phone", el("p", { className: "small" }, "Nobody is there yet."));
  const phone = el("input", { type: "tel", placeholder: "+351 …", "aria-label": "New phone number" });
  const name = el("input", { placeholder: me.name, "aria-label": "New name" });
  return panel("The customer's phone",
    el("p", { className: "small" }, me.user_id),
    check("Is on", me.is_online, (on) => act(on ? "online" : "offline")),
    check("Reads what is open here", reads, setReads),
    row(phone, button("Change number", () => phone.value && act("number", { phone: phone.value }))),
    row(name, button("Rename", () => name.value && act("rename", { name: name.value }))),
    row(button("New identity", () => act("identity")), me.is_reachable ? button("Block the business", () => act("block")) : button("Unblock", () => act("meet", { phone: me.phone }))));
}

function app(me) {
  const text = el("input", { placeholder: "A colleague answers…", "aria-label": "Answer in the Business app" });
  return panel("WhatsApp Business app (echoes)", row(text, button("Write", () => me && text.value && act("app", { text: text.value }))));
}

function templates(state) {
  return panel("Templates", ...state.templates.map((one) => el("label", {}, `${one.name} (${one.language})`,
    el("select", { onchange: (event) => { event.target.blur(); act("template", { id: one.id, status: event.target.value }); } }, ...options(state.choices.template.map((status) => [status, status.toLowerCase()]), one.status)))));
}

function webhook({ url, is_verified: isVerified, trouble, deliveries }) {
  return panel("Webhook",
    el("p", { className: `small ${isVerified ? "ok" : "bad"}` }, isVerified ? `${url} is verified` : trouble),
    el("ul", { className: "deliveries" }, ...deliveries.map((one) => el("li", {},
      el("span", {}, one.what), el("span", { className: one.is_done ? "ok" : "bad" }, `${one.answer}${one.attempts > 1 ? ` × ${one.attempts}` : ""}`)))));
}
