// The markdown block: standard Markdown as far as Slack draws it.

import { h } from "../dom.js";
import { emoji } from "./emoji.js";
import { emojiLeaf, link } from "./entities.js";

const RULES = [
  [/^`([^`]+)`/, (found) => h("code", {}, found[1])],
  [/^\*\*(.+?)\*\*/, (found) => h("strong", {}, inline(found[1]))],
  [/^__(.+?)__/, (found) => h("strong", {}, inline(found[1]))],
  [/^~~(.+?)~~/, (found) => h("s", {}, inline(found[1]))],
  [/^\*([^\s*][^*]*)\*/, (found) => h("em", {}, inline(found[1]))],
  [/^_([^\s_][^_]*)_(?![\p{L}\p{N}])/u, (found) => h("em", {}, inline(found[1]))],
  [/^!?\[([^\]]*)\]\(([^)\s]+)[^)]*\)/, (found) => link(found[2], found[1])],
  [/^<(https?:[^>\s]+)>/, (found) => link(found[1], "")],
  [/^:([a-z0-9_+-]+):/, (found) => (emoji(found[1]) ? emojiLeaf(found[1]) : null)],
  [/^\\([\\`*_{}[\]()#+\-.!~|>])/, (found) => document.createTextNode(found[1])],
];

/** Draw Markdown *text*. */
export function markdown(text) {
  const root = h("div", { class: "markdown" });
  const all = String(text ?? "").split("\n");
  let at = 0;
  const take = (matches) => {
    const taken = [];
    while (at < all.length && matches(all[at])) {
      taken.push(all[at]);
      at += 1;
    }
    return taken;
  };
  while (at < all.length) {
    const line = all[at];
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (/^\s*$/.test(line)) {
      at += 1;
    } else if (line.startsWith("```")) {
      at += 1;
      const code = take((candidate) => !candidate.startsWith("```"));
      at += 1;
      root.append(h("pre", { class: "code-block" }, code.join("\n")));
    } else if (heading) {
      root.append(h("p", { class: `md-heading level-${heading[1].length}`, role: "heading", "aria-level": String(heading[1].length + 2) }, inline(heading[2])));
      at += 1;
    } else if (/^\s*([-*_]\s*){3,}$/.test(line)) {
      root.append(h("hr"));
      at += 1;
    } else if (line.startsWith(">")) {
      const quoted = take((candidate) => candidate.startsWith(">")).map((candidate) => candidate.replace(/^> ?/, ""));
      root.append(h("blockquote", {}, markdown(quoted.join("\n"))));
    } else if (/^\s*([-*+]|\d+[.)])\s+/.test(line)) {
      root.append(list(take((candidate) => /^\s*([-*+]|\d+[.)])\s+/.test(candidate))));
    } else if (line.includes("|") && /^[\s|:-]+$/.test(all[at + 1] ?? "") && (all[at + 1] ?? "").includes("-")) {
      root.append(table(take((candidate) => candidate.includes("|"))));
    } else {
      const words = take((candidate) => candidate.trim() !== "" && !/^(#{1,6}\s|>|```|\s*([-*+]|\d+[.)])\s+)/.test(candidate));
      root.append(h("p", {}, words.flatMap((candidate, index) => (index === 0 ? inline(candidate) : [h("br"), ...inline(candidate)]))));
    }
  }
  return root;
}

function list(items) {
  const ordered = /^\s*\d/.test(items[0]);
  return h(ordered ? "ol" : "ul", { class: "rich-list" }, items.map((item) => {
    const [, indent, task, words] = /^(\s*)(?:[-*+]|\d+[.)])\s+(\[[ xX]\]\s)?(.*)$/.exec(item);
    return h("li", { class: `indent-${Math.min(Math.floor(indent.length / 2), 8)}` }, task ? (/x/i.test(task) ? "☑ " : "☐ ") : null, inline(words));
  }));
}

function table(rows) {
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const [head, , ...body] = rows;
  return h("table", { class: "block-table" },
    h("thead", {}, h("tr", {}, cells(head).map((cell) => h("th", { scope: "col" }, inline(cell))))),
    h("tbody", {}, body.map((row) => h("tr", {}, cells(row).map((cell) => h("td", {}, inline(cell)))))));
}

function inline(text) {
  const nodes = [];
  let words = "";
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    let drawn = null;
    let length = 0;
    for (const [pattern, draw] of RULES) {
      const found = pattern.exec(rest);
      drawn = found && draw(found);
      if (drawn) {
        length = found[0].length;
        break;
      }
    }
    if (drawn) {
      if (words) nodes.push(document.createTextNode(words));
      words = "";
      nodes.push(drawn);
      at += length;
    } else {
      words += text[at];
      at += 1;
    }
  }
  if (words) nodes.push(document.createTextNode(words));
  return nodes;
}
