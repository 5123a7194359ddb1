// One message of a channel or thread, and the keyed list of many.

import { fileUrl } from "../api.js";
import { directory } from "../directory.js";
import { h, icon, ICONS, reconcile } from "../dom.js";
import { session } from "../session.js";
import { clockTime, dayKey, dayName, ofTs } from "../times.js";
import { click, options } from "./act.js";
import { drawBlocks } from "./blocks.js";
import { emojiLeaf, link } from "./entities.js";
import { mrkdwn } from "./mrkdwn.js";

const TOGETHER_S = 300;
const HUES = 6;

/** Whether *user* sees *message* in the channel's list (ephemerals of others are hidden). */
export function isFor(message, user) {
  return !message.deleted && (!message.ephemeral_to || message.ephemeral_to === user);
}

/** A small square with the first letter of the name. */
export function avatar(id) {
  const name = directory.userName(id);
  const hue = [...String(id)].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % HUES;
  return directory.isBot(id)
    ? h("img", { class: "avatar", src: "icon.svg", alt: "" })
    : h("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, name.slice(0, 1).toUpperCase());
}

/**
 * Show *messages* (ordered by ts) in *list*.
 * `replies` maps a ts to `{count, last}`; `openThread(ts)` opens it, or null inside a thread.
 */
export function showMessages(list, messages, { replies = new Map(), openThread = null } = {}) {
  const today = dayKey(session.now);
  reconcile(list, messages, {
    key: (message) => `${message.ts}${message.ephemeral_to ?? ""}`,
    stamp: (message, index) => JSON.stringify([
      message, replies.get(message.ts) ?? null, startsDay(messages, index), continues(messages, index), today, directory.zone,
    ]),
    draw: (message, index) => draw(message, {
      day: startsDay(messages, index),
      compact: continues(messages, index),
      thread: replies.get(message.ts),
      openThread,
    }),
  });
}

function startsDay(messages, index) {
  return index === 0 || dayKey(ofTs(messages[index].ts)) !== dayKey(ofTs(messages[index - 1].ts));
}

/** Whether the message goes on where the same person's earlier one ended: no second avatar. */
function continues(messages, index) {
  if (startsDay(messages, index)) return false;
  const [earlier, message] = [messages[index - 1], messages[index]];
  return earlier.user === message.user && !earlier.ephemeral_to && !message.ephemeral_to
    && Number(message.ts) - Number(earlier.ts) < TOGETHER_S;
}

function draw(message, { day, compact, thread, openThread }) {
  const at = ofTs(message.ts);
  const time = h("time", { datetime: at.toISOString(), title: `${dayName(at, session.now)}, ${clockTime(at)}` }, clockTime(at));
  const name = directory.userName(message.user);
  const body = h("div", { class: "message-body" },
    compact ? null : h("div", { class: "message-head" }, h("strong", { class: "author" }, name), directory.isBot(message.user) ? h("span", { class: "app-badge" }, "APP") : null, time),
    content(message),
    message.edited ? h("small", { class: "edited" }, "(edited)") : null,
    files(message),
    reactions(message),
    thread ? threadLink(message, thread, openThread) : null);
  const article = h("article", {
    class: `message${compact ? " compact" : ""}${message.ephemeral_to ? " ephemeral" : ""}`,
    "aria-label": `${name}, ${clockTime(at)}`,
    "data-ts": message.ts,
  },
  h("div", { class: "message-side" }, compact ? time : avatar(message.user)),
  h("div", { class: "message-main" },
    message.ephemeral_to ? h("p", { class: "only-you" }, "Only visible to you") : null,
    body),
  openThread && !message.ephemeral_to
    ? h("div", { class: "message-tools" }, h("button", { type: "button", title: "Reply in thread", "aria-label": "Reply in thread", on: { click: () => openThread(message.ts) } }, icon(ICONS.thread)))
    : null);
  return h("div", { class: "message-row" }, day ? h("div", { class: "day" }, h("span", {}, dayName(at, session.now))) : null, article);
}

function content(message) {
  const place = { message_ts: message.ts, channel: message.channel };
  const surface = {
    now: session.now,
    act: (element, block, value) => click(element, block, value, place),
    fetch: (element, query) => options(element, query, place),
    inputs: inputsOf(message),
  };
  const hasBlocks = message.blocks && message.blocks.length > 0;
  return [
    hasBlocks ? drawBlocks(message.blocks, surface) : message.text ? h("div", { class: "message-text" }, mrkdwn(message.text, surface)) : null,
    (message.attachments ?? []).map((attachment) => drawAttachment(attachment, surface)),
  ];
}

/** An attachment: older than blocks, and still the only way to a coloured bar. */
function drawAttachment(attachment, surface) {
  const box = h("div", { class: "attachment" },
    attachment.pretext ? h("div", {}, mrkdwn(attachment.pretext, surface)) : null,
    attachment.title ? h("strong", {}, attachment.title_link ? link(attachment.title_link, attachment.title) : attachment.title) : null,
    attachment.blocks ? drawBlocks(attachment.blocks, surface) : attachment.text ? h("div", { class: "message-text" }, mrkdwn(attachment.text, surface)) : null,
    (attachment.fields ?? []).map((field) => h("div", {}, h("strong", {}, field.title), " ", mrkdwn(field.value, surface))),
    attachment.footer ? h("small", {}, attachment.footer) : null);
  const colour = { good: "#2eb886", warning: "#daa038", danger: "#a30200" }[attachment.color] ?? (attachment.color ? `#${attachment.color.replace("#", "")}` : "");
  box.style.borderLeftColor = colour;
  return box;
}

function reactions(message) {
  if (!message.reactions || message.reactions.length === 0) return null;
  return h("div", { class: "reactions" }, message.reactions.map((reaction) => h("span", { class: "reaction" }, emojiLeaf(reaction.name), ` ${reaction.count ?? reaction.users?.length ?? 1}`)));
}

// What a person chose in a message stays chosen when the message is edited, as in Slack.
const held = new Map();

function inputsOf(message) {
  const key = (block, element) => `${message.ts} ${block.block_id} ${element.action_id}`;
  return {
    get: (block, element) => held.get(key(block, element)),
    set: (block, element, value) => held.set(key(block, element), value),
  };
}

function files(message) {
  if (!message.files || message.files.length === 0) return null;
  return h("div", { class: "files" }, message.files.map((file) => {
    const size = file.size < 1024 ? `${file.size} B` : file.size < 1048576 ? `${Math.round(file.size / 1024)} KB` : `${(file.size / 1048576).toFixed(1)} MB`;
    return h("a", { class: "file", href: fileUrl(file.id), download: file.name, target: "_blank", rel: "noopener" },
      /^image\/(png|jpeg|gif|webp)$/.test(file.mimetype) ? h("img", { src: fileUrl(file.id), alt: "", loading: "lazy" }) : icon(ICONS.file),
      h("span", {}, h("span", { class: "file-name" }, file.name), h("small", {}, `${file.mimetype}, ${size}`)));
  }));
}

function threadLink(message, thread, openThread) {
  return h("button", { type: "button", class: "thread-link", "data-focus": "thread", on: { click: () => openThread?.(message.ts) } },
    `${thread.count} ${thread.count === 1 ? "reply" : "replies"}`,
    h("small", {}, `last at ${clockTime(ofTs(thread.last))}`));
}
