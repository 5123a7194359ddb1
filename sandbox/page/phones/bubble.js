// One message on a phone: bubble, buttons, ticks.

import { h, icon, ICONS } from "../dom.js";
import { clockTime } from "../times.js";
import { formatted } from "./format.js";
import { media } from "./media.js";

const TICKS = {
  accepted: ["✓", "accepted by WhatsApp"],
  sent: ["✓", "sent"],
  delivered: ["✓✓", "delivered"],
  read: ["✓✓", "read"],
  failed: ["!", "failed"],
};

/** The ticks of a status, with words for those who do not see them. */
export function ticks(status) {
  const [mark, words] = TICKS[status] ?? ["", status];
  return h("span", { class: `ticks ${status}`, role: "img", "aria-label": words, title: words }, mark);
}

/**
 * Draw *message*; `quoted` is the one it answers, or null.
 * `reply(message)` begins an answer to it, `tap(message, button)` taps one of its buttons.
 */
export function bubble(message, { quoted, reply, tap }) {
  const own = message.direction === "in";
  const at = new Date(message.at);
  return h("div", { class: `bubble-row ${own ? "own" : "theirs"}`, "data-id": message.id },
    h("div", { class: `bubble ${message.status === "failed" ? "not-delivered" : ""}`.trim() },
      quoted ? h("blockquote", { class: "quoted" }, h("small", {}, quoted.direction === "in" ? "You" : "Business"), excerpt(quoted)) : null,
      media(message.media),
      h("div", { class: "bubble-text" }, message.text ? formatted(message.text) : message.media ? null : `(${message.type})`),
      h("div", { class: "bubble-foot" },
        message.template ? h("span", { class: "template-name", title: "template" }, message.template.name) : null,
        message.status === "failed" ? h("span", { class: "failed-note" }, "not delivered") : null,
        h("time", { datetime: message.at }, clockTime(at)),
        ticks(message.status))),
    h("button", { type: "button", class: "bubble-reply", title: "Reply to this message", "aria-label": "Reply to this message", "data-focus": "reply", on: { click: () => reply(message) } }, icon(ICONS.reply)),
    message.buttons?.length > 0
      ? h("div", { class: "bubble-buttons" }, message.buttons.map((button) => (button.type === "url"
        ? h("a", { class: "bubble-button", href: /^https?:/i.test(button.url ?? "") ? button.url : null, target: "_blank", rel: "noopener noreferrer", title: button.url }, "↗ ", button.text)
        : h("button", { type: "button", class: "bubble-button", disabled: !button.payload, "data-focus": `button ${button.text}`, on: { click: () => tap(message, button) } }, "↩ ", button.text))))
      : null);
}

/** The first words of a message, for a list or a quotation. */
export function excerpt(message) {
  const text = (message.text || `(${message.media?.type ?? message.type})`).replace(/\s+/g, " ");
  return text.length > 90 ? `${text.slice(0, 90)}…` : text;
}
