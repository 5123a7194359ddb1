// Mentions, links, dates and plain leaves, as mrkdwn and rich text both draw them.

import { directory } from "../directory.js";
import { h } from "../dom.js";
import { slackDate } from "../times.js";
import { emoji, withEmoji } from "./emoji.js";

const SAFE = /^(https?:|mailto:|tel:)/i;

/** `&lt;` and its two fellows back to what they stand for; nothing else is an entity in Slack. */
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** A link, or its words alone when the address is of a kind a browser should not follow. */
export function link(address, words) {
  const label = words || address;
  if (!SAFE.test(address)) return h("span", { class: "dead-link", title: address }, label);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}

export function userMention(id, label = "") {
  return h("span", { class: "mention" }, `@${directory.user(id) || directory.isBot(id) ? directory.userName(id) : label || id}`);
}

export function channelMention(id, label = "") {
  const name = directory.channelName(id);
  return h("span", { class: "mention" }, `#${name === id && label ? label : name}`);
}

/** `@channel`, `@here`, `@everyone`: drawn loudly, since it would wake everybody. */
export function broadcastMention(range) {
  return h("span", { class: "mention loud" }, `@${range}`);
}

export function dateText(seconds, pattern, fallback, address, now) {
  const text = Number.isFinite(seconds) ? slackDate(seconds, pattern, now) : fallback;
  const time = h("time", { class: "slack-date", title: fallback }, text);
  return address ? h("span", {}, link(address, text)) : time;
}

export function emojiLeaf(name) {
  const drawn = emoji(name);
  return drawn ? h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, drawn) : `:${name}:`;
}

/** A Slack `plain_text` object: no markup, emoji unless switched off. */
export function plain(text) {
  if (text === null || text === undefined) return "";
  if (typeof text === "string") return text;
  const words = text.type === "mrkdwn" ? unescape(text.text) : text.text;
  return text.emoji === false ? words : withEmoji(words);
}
