// WhatsApp's own formatting: *bold*, _italic_, ~struck~, ```fixed```, and links.

import { h } from "../dom.js";

const RULES = [
  [/^```([\s\S]+?)```/, (found) => h("code", {}, found[1])],
  [/^\*(\S(?:[^*\n]*\S)?)\*(?![\p{L}\p{N}])/u, (found) => h("strong", {}, formatted(found[1]))],
  [/^_(\S(?:[^_\n]*\S)?)_(?![\p{L}\p{N}])/u, (found) => h("em", {}, formatted(found[1]))],
  [/^~(\S(?:[^~\n]*\S)?)~(?![\p{L}\p{N}])/u, (found) => h("s", {}, formatted(found[1]))],
  [/^https?:\/\/[^\s<>]+[^\s<>.,;:!?)'"\]]/, (found) => h("a", { href: found[0], target: "_blank", rel: "noopener noreferrer" }, found[0])],
];
const WORD = /[\p{L}\p{N}]/u;

/** Nodes of *text*. */
export function formatted(text) {
  const nodes = [];
  let words = "";
  let at = 0;
  while (at < text.length) {
    const rule = "*_~`h".includes(text[at]) && !(at > 0 && WORD.test(text[at - 1]))
      ? RULES.map(([pattern, draw]) => [pattern.exec(text.slice(at)), draw]).find(([found]) => found)
      : null;
    if (rule) {
      if (words) nodes.push(words);
      words = "";
      nodes.push(rule[1](rule[0]));
      at += rule[0][0].length;
    } else {
      words += text[at];
      at += 1;
    }
  }
  if (words) nodes.push(words);
  return nodes;
}
