// Slack's mrkdwn as elements: entities first, then formatting, so that escaped text stays inert.

import { h } from "../dom.js";
import { broadcastMention, channelMention, dateText, emojiLeaf, link, unescape, userMention } from "./entities.js";
import { emoji } from "./emoji.js";

const STYLES = { "*": "strong", "_": "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const ADDRESS = /^https?:\/\/[^\s<>]+[^\s<>.,;:!?)'"\]]/;
const SHORTCODE = /^:([a-z0-9_+-]+(?:::skin-tone-\d)?):/;

/** Draw mrkdwn *text*; `now` is the business time, for dates; `verbatim` leaves bare addresses alone. */
export function mrkdwn(text, { now = new Date(), verbatim = false } = {}) {
  const fragment = document.createDocumentFragment();
  const context = { now, verbatim };
  const pieces = String(text ?? "").split("```");
  // An odd number of fences leaves the last one as text.
  const closed = pieces.length % 2 === 1 ? pieces : [...pieces.slice(0, -2), `${pieces.at(-2)}\`\`\`${pieces.at(-1)}`];
  for (const [index, piece] of closed.entries()) {
    if (index % 2 === 1) {
      fragment.append(h("pre", { class: "code-block" }, codeText(piece.replace(/^\n/, "").replace(/\n$/, ""))));
    } else {
      const trimmed = (index > 0 ? piece.replace(/^\n/, "") : piece);
      if (trimmed) fragment.append(...lines(index < closed.length - 1 ? trimmed.replace(/\n$/, "") : trimmed, context));
    }
  }
  return fragment;
}

function lines(text, context) {
  const nodes = [];
  const all = text.split("\n");
  let index = 0;
  while (index < all.length) {
    const quoted = [];
    while (index < all.length && /^(&gt;|>)/.test(all[index])) {
      const rest = all[index].match(/^(?:&gt;|>){3} ?(.*)$/);
      if (rest) {
        quoted.push(rest[1], ...all.slice(index + 1));
        index = all.length;
        break;
      }
      quoted.push(all[index].replace(/^(&gt;|>) ?/, ""));
      index += 1;
    }
    if (quoted.length > 0) {
      nodes.push(h("blockquote", {}, withBreaks(quoted, context)));
      continue;
    }
    const open = [];
    while (index < all.length && !/^(&gt;|>)/.test(all[index])) {
      open.push(all[index]);
      index += 1;
    }
    nodes.push(...withBreaks(open, context));
  }
  return nodes;
}

function withBreaks(all, context) {
  return all.flatMap((line, index) => (index === 0 ? inline(line, context) : [h("br"), ...inline(line, context)]));
}

/** One line, or the inside of a styled span, as nodes. */
function inline(text, context) {
  const nodes = [];
  let words = "";
  const flush = () => {
    if (words) nodes.push(document.createTextNode(unescape(words)));
    words = "";
  };
  let at = 0;
  while (at < text.length) {
    const found = entityAt(text, at, context) ?? codeAt(text, at) ?? styledAt(text, at, context)
      ?? shortcodeAt(text, at) ?? addressAt(text, at, context);
    if (found) {
      flush();
      nodes.push(found.node);
      at = found.end;
    } else {
      words += text[at];
      at += 1;
    }
  }
  flush();
  return nodes;
}

function entityAt(text, at, context) {
  if (text[at] !== "<") return null;
  const close = text.indexOf(">", at);
  if (close < 0) return null;
  const [target, ...labels] = text.slice(at + 1, close).split("|");
  const node = entity(unescape(target), unescape(labels.join("|")), context);
  return node && { node, end: close + 1 };
}

function entity(target, label, { now }) {
  if (/^@[UW]/.test(target)) return userMention(target.slice(1), label);
  if (target.startsWith("#C")) return channelMention(target.slice(1), label);
  if (/^!(channel|here|everyone)$/.test(target)) return broadcastMention(target.slice(1));
  if (target.startsWith("!subteam^")) return h("span", { class: "mention" }, label || `@${target.slice(9)}`);
  if (target.startsWith("!date^")) {
    const [, seconds, pattern = "", address = ""] = target.split("^");
    return dateText(Number(seconds), pattern, label, address, now);
  }
  if (target.startsWith("!")) return h("span", { class: "mention" }, label || target);
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return link(target, label);
  return null;
}

function codeAt(text, at) {
  if (text[at] !== "`") return null;
  const close = text.indexOf("`", at + 1);
  if (close <= at + 1) return null;
  return { node: h("code", {}, codeText(text.slice(at + 1, close))), end: close + 1 };
}

/** Inside code only the words of entities show. */
function codeText(text) {
  return unescape(text.replace(/<((?:[@#!]|[a-z][a-z0-9+.-]*:)[^<>|]*)(?:\|([^<>]*))?>/gi, (_, target, label) => label || target));
}

function styledAt(text, at, context) {
  const tag = STYLES[text[at]];
  if (!tag || (at > 0 && WORD.test(text[at - 1]))) return null;
  const mark = text[at];
  if (text[at + 1] === undefined || /\s/.test(text[at + 1]) || text[at + 1] === mark) return null;
  let close = at + 1;
  for (;;) {
    close = text.indexOf(mark, close + 1);
    if (close < 0) return null;
    const next = text[close + 1];
    if (!/\s/.test(text[close - 1]) && (next === undefined || !WORD.test(next)) && !insideEntity(text, close)) break;
  }
  return { node: h(tag, {}, inline(text.slice(at + 1, close), context)), end: close + 1 };
}

function insideEntity(text, at) {
  const open = text.lastIndexOf("<", at);
  return open >= 0 && text.lastIndexOf(">", at) < open && text.indexOf(">", at) >= 0;
}

function shortcodeAt(text, at) {
  if (text[at] !== ":") return null;
  const found = SHORTCODE.exec(text.slice(at, at + 64));
  if (!found || !emoji(found[1])) return null;
  return { node: emojiLeaf(found[1]), end: at + found[0].length };
}

function addressAt(text, at, { verbatim }) {
  if (verbatim || text[at] !== "h" || (at > 0 && WORD.test(text[at - 1]))) return null;
  const found = ADDRESS.exec(text.slice(at));
  if (!found) return null;
  return { node: link(unescape(found[0]), ""), end: at + found[0].length };
}
