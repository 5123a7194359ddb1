// Block Kit: each block as an element. A block unknown here is named, never left out silently.

import { fileUrl } from "../api.js";
import { h } from "../dom.js";
import { confirmed } from "./confirm.js";
import { control } from "./elements.js";
import { plain } from "./entities.js";
import { markdown } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { chart, table } from "./table.js";

const BUSY_MS = 1500;
const LONG_TEXT = 700;

/**
 * Draw *blocks*.
 *
 * `surface` is what they stand on:
 *   now       business time, for dates
 *   act(element, block, value)      promise; a person used an element outside an input
 *   fetch(element, query)           promise of `{options, option_groups}`
 *   inputs    `{get(block, element), set(block, element, value)}`: what input blocks hold
 *   errors    `{block_id: text}` under fields
 */
export function drawBlocks(blocks, surface) {
  return h("div", { class: "blocks" }, (blocks ?? []).map((block, index) => drawBlock(block ?? {}, surface, index)));
}

function drawBlock(block, surface, index) {
  const draw = BLOCKS[block.type];
  const drawn = draw ? draw(block, surface) : unknown(block);
  drawn.dataset.block = block.block_id ?? String(index);
  return drawn;
}

const BLOCKS = {
  header: (block) => h("div", { class: "block header", role: "heading", "aria-level": String(2 + (block.level ?? 1)) }, plain(block.text)),
  divider: () => h("hr", { class: "block divider" }),
  section: drawSection,
  context: drawContext,
  actions: drawActions,
  context_actions: drawActions,
  image: drawImage,
  input: drawInput,
  rich_text: (block, surface) => h("div", { class: "block" }, richText(block, surface)),
  markdown: (block) => h("div", { class: "block" }, markdown(block.text)),
  table: (block, surface) => h("div", { class: "block" }, table(block, surface)),
  data_table: (block, surface) => h("div", { class: "block" }, table(block, surface)),
  data_visualization: (block) => h("div", { class: "block" }, chart(block)),
  alert: (block, surface) => h("div", { class: `block alert ${block.level ?? "info"}`, role: "note" }, textOf(block.text, surface)),
  container: (block, surface) => h("div", { class: "block container" },
    block.title ? h("div", { class: "container-title" }, plain(block.title)) : null,
    drawBlocks(block.child_blocks ?? block.blocks, surface)),
  card: drawCard,
  carousel: (block, surface) => h("div", { class: "block carousel" }, (block.elements ?? []).map((card) => drawCard(card, surface))),
  file: (block) => h("div", { class: "block context" }, `File ${block.external_id ?? ""}`),
  video: (block) => h("div", { class: "block" }, h("strong", {}, plain(block.title)), " ", h("small", {}, block.alt_text ?? "")),
};

function unknown(block) {
  return h("p", { class: "block unknown-block" }, `This page cannot draw a block of type “${block.type ?? "none"}”.`);
}

function textOf(text, surface) {
  if (!text) return null;
  return text.type === "mrkdwn" ? mrkdwn(text.text, { now: surface.now, verbatim: text.verbatim }) : plain(text);
}

function drawSection(block, surface) {
  const words = block.text ? h("div", { class: "section-text" }, foldable(block, textOf(block.text, surface))) : null;
  const fields = block.fields ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "section-field" }, textOf(field, surface)))) : null;
  const accessory = block.accessory
    ? h("div", { class: `accessory ${block.accessory.type}` }, block.accessory.type === "image" ? picture(block.accessory, "thumb") : acting(block.accessory, block, surface))
    : null;
  return h("div", { class: "block section" }, h("div", { class: "section-main" }, words, fields), accessory);
}

/** Slack folds long sections; so does this page, unless the block says expand. */
function foldable(block, drawn) {
  if (block.expand || (block.text.text ?? "").length <= LONG_TEXT) return drawn;
  const body = h("div", { class: "folded" }, drawn);
  const more = h("button", {
    type: "button",
    class: "link-button",
    "aria-expanded": "false",
    on: {
      click: () => {
        const folded = body.classList.toggle("folded");
        more.textContent = folded ? "See more" : "See less";
        more.setAttribute("aria-expanded", String(!folded));
      },
    },
  }, "See more");
  return [body, more];
}

function drawContext(block, surface) {
  return h("div", { class: "block context" }, (block.elements ?? []).map((element) => (
    element.type === "image" ? picture(element, "context-image") : h("span", {}, textOf(element, surface)))));
}

function drawActions(block, surface) {
  return h("div", { class: "block actions" }, (block.elements ?? []).map((element) => acting(element, block, surface)));
}

function drawCard(block, surface) {
  return h("div", { class: "block card" },
    block.hero_image ? picture(block.hero_image, "hero") : null,
    block.title ? h("strong", {}, textOf(block.title, surface)) : null,
    block.subtitle ? h("small", {}, textOf(block.subtitle, surface)) : null,
    block.body ? h("div", {}, textOf(block.body, surface)) : null,
    block.actions ? h("div", { class: "actions" }, block.actions.map((element) => acting(element, block, surface))) : null);
}

function drawImage(block, surface) {
  return h("figure", { class: "block image" },
    block.title ? h("figcaption", {}, textOf(block.title, surface)) : null,
    picture(block, "large"));
}

/** Pictures are shown from the sandbox alone; an address elsewhere is named, not fetched. */
function picture(image, className) {
  const slackFile = image.slack_file?.id ?? /\/files\/(F[A-Z0-9]+)/.exec(image.slack_file?.url ?? "")?.[1];
  const address = slackFile ? fileUrl(slackFile) : image.image_url ?? "";
  const place = URL.canParse(address, location.href) ? new URL(address, location.href) : null;
  if (place?.origin === location.origin) {
    return h("img", { class: className, src: place.href, alt: image.alt_text ?? "", loading: "lazy" });
  }
  return h("span", { class: `${className} image-elsewhere`, role: "img", "aria-label": image.alt_text ?? "", title: address }, image.alt_text || "image", h("small", {}, place?.host ?? ""));
}

/** An element outside an input: each new value goes to the bot at once. */
function acting(element, block, surface) {
  if (element.type === "workflow_button") return h("button", { type: "button", class: "button", disabled: true, title: "Workflows are not part of the sandbox" }, plain(element.text));
  return control(element, {
    now: surface.now,
    value: surface.inputs?.get(block, element),
    label: element.type === "button" ? "" : plain(element.placeholder),
    fetch: (query) => surface.fetch(element, query),
    changed: async (value, source) => {
      if (element.confirm && !(await confirmed(element.confirm, surface))) return;
      if (value !== undefined) surface.inputs?.set(block, element, value);
      await busy(source, surface.act(element, block, value));
    },
  });
}

/** Mark *source* as working until *work* ends or it is plain that only its answer is late. */
async function busy(source, work) {
  source?.setAttribute("aria-busy", "true");
  const over = () => source?.removeAttribute("aria-busy");
  const timer = setTimeout(over, BUSY_MS);
  try {
    await work;
  } finally {
    clearTimeout(timer);
    over();
  }
}

function drawInput(block, surface) {
  const element = block.element ?? {};
  const error = surface.errors?.[block.block_id];
  const label = plain(block.label);
  const field = control(element, {
    now: surface.now,
    label,
    value: surface.inputs?.get(block, element),
    fetch: (query) => surface.fetch(element, query),
    changed: (value, _source, _options, typing = null) => {
      surface.inputs?.set(block, element, value);
      note.hidden = true;
      const settled = typing === null || typing.settled;
      if (block.dispatch_action && settled) surface.act(element, block, value);
      else if (typing?.entered) surface.submit?.();
    },
  });
  const note = h("p", { class: "field-error", role: "alert", hidden: !error }, error ?? "");
  const box = h("div", { class: `block input ${error ? "wrong" : ""}`.trim() },
    h("div", { class: "input-label" }, label, block.optional ? h("small", {}, " (optional)") : null),
    field,
    note,
    block.hint ? h("p", { class: "input-hint" }, plain(block.hint)) : null);
  if (error) field.setAttribute("aria-invalid", "true");
  return box;
}

