// One message as a bubble. Text is text: nothing here is ever read as HTML.
const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const TICKS = { accepted: "🕓", sent: "✓", delivered: "✓✓", read: "✓✓", played: "✓✓", failed: "!" };

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.includes("-") || key === "role") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function bubble(message, acts) {
  if (message.kind === "system") return el("li", { className: "system" }, el("div", { className: "bubble" }, message.text));
  const mine = message.author === "customer";
  const box = el("div", { className: "bubble" },
    message.context && el("div", { className: "quote" }, message.context.text),
    ...(message.is_revoked ? [el("div", { className: "gone" }, "This message was deleted")] : body(message, acts)),
    foot(message));
  return el("li", { className: mine ? "customer" : message.author },
    box,
    message.buttons.length ? el("div", { className: "presses" }, ...message.buttons.map((one) => el("button", { type: "button", onclick: () => acts.press(message, one.id) }, one.title))) : null,
    message.reactions.length ? el("div", { className: "reactions" }, message.reactions.join(" ")) : null,
    message.error && el("div", { className: "failure" }, `${message.error.code} ${message.error.title}: ${message.error.details}`),
    message.is_revoked ? null : menu(message, mine, acts));
}

function body(message, acts) {
  const words = message.text && el("div", { className: "words" }, message.text);
  const parts = [
    message.header && el("div", { className: "heading words" }, message.header),
    message.media && file(message, acts),
    message.place && place(message.place),
    words || (message.media || message.place ? null : el("div", { className: "gone" }, message.kind)),
    message.footer && el("div", { className: "small words" }, message.footer),
  ];
  return parts.filter(Boolean);
}

function file(message, acts) {
  const { kind, url, name, voice, size } = message.media;
  if (!url || !["image", "sticker", "audio", "video"].includes(kind)) {
    const label = [el("span", { "aria-hidden": "true" }, "📄"), el("span", {}, `${name}${size ? ` · ${Math.ceil(size / 1024)} kB` : ""}`)];
    return url ? el("a", { className: "file", href: url, download: name }, ...label) : el("span", { className: "file" }, ...label);
  }
  if (kind === "audio") return el("audio", { controls: true, preload: "none", src: url, title: voice ? "Voice note" : name, onplay: () => voice && message.author === "business" && acts.play(message) });
  if (kind === "video") return el("video", { controls: true, preload: "metadata", src: url });
  return el("img", { src: url, alt: message.text || kind, className: kind });
}

function place({ latitude, longitude }) {
  return el("span", { className: "place" }, el("span", { "aria-hidden": "true" }, "📍"), `${Number(latitude).toFixed(4)}, ${Number(longitude).toFixed(4)}`);
}

function foot(message) {
  const mine = message.author === "customer";
  const status = mine ? (message.is_read ? "read" : "delivered") : message.status;
  const time = new Date(message.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return el("div", { className: "foot" },
    message.template ? el("span", { className: "tag" }, `template ${message.template}`) : null,
    message.author === "app" ? el("span", { className: "tag" }, "Business app") : null,
    message.is_edited ? "edited" : null,
    el("time", {}, time),
    message.author === "app" ? null : el("span", { className: `ticks ${status}`, role: "img", title: status, "aria-label": status }, TICKS[status]));
}

function menu(message, mine, acts) {
  const close = (doing) => (event) => { event.target.closest("details").open = false; doing(); };
  const button = (label, doing, more = {}) => el("button", { type: "button", onclick: close(doing), ...more }, label);
  const parts = EMOJI.map((emoji) => button(emoji, () => acts.react(message, emoji), { className: "emoji", "aria-label": `React with ${emoji}` }));
  if (message.reactions.length) parts.push(button("Take back reaction", () => acts.react(message, "")));
  parts.push(button("Reply", () => acts.reply(message)));
  if (mine && message.text && ["text", "image", "video", "document"].includes(message.kind)) parts.push(button("Edit", () => acts.edit(message)));
  if (mine) parts.push(button("Delete", () => acts.revoke(message)));
  const shown = (event) => event.target.open && event.target.lastElementChild.scrollIntoView({ block: "nearest" });
  return el("details", { className: "menu", ontoggle: shown }, el("summary", { "aria-label": "What to do with this message", title: "React, reply…" }, "⋯"), el("div", {}, ...parts));
}
