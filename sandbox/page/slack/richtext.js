// The rich_text block: sections, lists, quotes, preformatted text and their leaves.

import { h } from "../dom.js";
import { broadcastMention, channelMention, dateText, emojiLeaf, link, userMention } from "./entities.js";

/** Draw a rich_text block (or a table cell of that type). */
export function richText(block, { now }) {
  return h("div", { class: "rich-text" }, (block.elements ?? []).map((element) => part(element, now)));
}

function part(element, now) {
  const leaves = () => (element.elements ?? []).map((leaf) => drawLeaf(leaf, now));
  switch (element.type) {
    case "rich_text_section":
      return h("div", { class: "rich-section" }, leaves());
    case "rich_text_preformatted":
      return h("pre", { class: "code-block" }, leaves());
    case "rich_text_quote":
      return h("blockquote", {}, leaves());
    case "rich_text_list": {
      const list = h(element.style === "ordered" ? "ol" : "ul", {
        class: `rich-list indent-${Math.min(element.indent ?? 0, 8)}`,
        start: element.style === "ordered" && element.offset ? element.offset + 1 : null,
      });
      for (const item of element.elements ?? []) list.append(h("li", {}, part(item, now)));
      return list;
    }
    default:
      return h("p", { class: "unknown-block" }, `(${element.type})`);
  }
}

function drawLeaf(leaf, now) {
  switch (leaf.type) {
    case "text":
      return styled(document.createTextNode(leaf.text), leaf.style);
    case "link":
      return styled(link(leaf.url, leaf.text), leaf.style);
    case "user":
      return styled(userMention(leaf.user_id), leaf.style);
    case "channel":
      return styled(channelMention(leaf.channel_id), leaf.style);
    case "usergroup":
      return h("span", { class: "mention" }, `@${leaf.usergroup_id}`);
    case "team":
      return h("span", { class: "mention" }, leaf.team_id);
    case "broadcast":
      return broadcastMention(leaf.range);
    case "emoji":
      return leaf.unicode
        ? h("span", { class: "emoji", title: `:${leaf.name}:` }, String.fromCodePoint(...leaf.unicode.split("-").map((code) => Number.parseInt(code, 16))))
        : emojiLeaf(leaf.name);
    case "date":
      return dateText(leaf.timestamp, leaf.format, leaf.fallback ?? "", leaf.url, now);
    case "color":
      return h("code", {}, leaf.value);
    default:
      return `(${leaf.type})`;
  }
}

function styled(node, style = {}) {
  let drawn = node;
  if (style.code) drawn = h("code", {}, drawn);
  if (style.strike) drawn = h("s", {}, drawn);
  if (style.italic) drawn = h("em", {}, drawn);
  if (style.bold) drawn = h("strong", {}, drawn);
  if (style.underline) drawn = h("u", {}, drawn);
  return drawn;
}
