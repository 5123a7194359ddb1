// Modals: the top one of the person's stack, with its fields, errors, submit and close.

import { base64 } from "../api.js";
import { fill, h, icon, ICONS, rememberFocus, restoreFocus } from "../dom.js";
import { session } from "../session.js";
import { toast } from "../toast.js";
import { click, closeView, options, submit } from "./act.js";
import { drawBlocks } from "./blocks.js";
import { plain } from "./entities.js";
import { Inputs } from "./inputs.js";

/** The place of modals over a Slack pane; `covered(open)` is told to make the rest inert. */
export function modalLayer({ covered, changed }) {
  const element = h("div", { class: "modal-layer", hidden: true });
  const inputs = new Map();
  let top = null;
  let errors = {};
  let stamp = "";
  let before = null;

  function show(modals) {
    for (const id of inputs.keys()) {
      if (!modals.some((view) => view.id === id)) inputs.delete(id);
    }
    const view = modals.at(-1) ?? null;
    const mark = JSON.stringify([view, modals.length]);
    if (mark === stamp) return;
    stamp = mark;
    if (view?.id !== top?.id) errors = {};
    const opened = view !== null && top === null;
    const closing = view === null && top !== null;
    if (opened) before = document.activeElement;
    const fresh = view?.id !== top?.id;
    top = view;
    element.hidden = view === null;
    covered(view !== null);
    if (view === null) {
      fill(element);
      if (closing) before?.focus?.();
      return;
    }
    if (!inputs.has(view.id)) inputs.set(view.id, new Inputs());
    draw(fresh, modals.length);
  }

  function draw(fresh, depth = 1) {
    const view = top;
    const held = inputs.get(view.id);
    const focused = rememberFocus(element);
    const body = h("div", { class: "modal-body" }, drawBlocks(view.blocks, {
      now: session.now,
      inputs: held,
      errors,
      act: (target, block, value) => click(target, block, value, { view_id: view.id }).then(changed),
      fetch: (target, query) => options(target, query, { view_id: view.id }),
      submit: () => form.requestSubmit(),
    }));
    const form = h("form", { class: "modal", role: "dialog", "aria-labelledby": "modal-title", novalidate: true, on: { submit: (event) => {
      event.preventDefault();
      send(view, form);
    } } },
    h("header", {},
      h("h2", { id: "modal-title" }, plain(view.title)),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: () => close(view) } }, icon(ICONS.close))),
    body,
    h("footer", {},
      h("button", { type: "button", class: "button", on: { click: () => close(view) } }, plain(view.close) || (depth > 1 ? "Back" : view.submit ? "Cancel" : "Close")),
      view.submit ? h("button", { type: "submit", class: "button primary" }, plain(view.submit)) : null));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) close(view);
    });
    const scrolled = fresh ? 0 : element.querySelector(".modal-body")?.scrollTop ?? 0;
    fill(element, form);
    body.scrollTop = scrolled;
    if (fresh) (body.querySelector("[autofocus]") ?? body.querySelector("input, textarea, button") ?? form.querySelector("footer .button"))?.focus();
    else restoreFocus(element, focused);
  }

  async function send(view, form) {
    const held = inputs.get(view.id);
    errors = held.missing(view.blocks);
    if (Object.keys(errors).length > 0) {
      showErrors();
      return;
    }
    const button = form.querySelector("footer .primary");
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    const answer = await submit(view.id, await withFiles(held.values(view.blocks)));
    button.disabled = false;
    button.removeAttribute("aria-busy");
    errors = answer?.errors ?? {};
    if (Object.keys(errors).length > 0) showErrors();
    await changed();
  }

  function showErrors() {
    draw(false);
    const known = [...element.querySelectorAll("[data-block]")].map((block) => block.dataset.block);
    for (const [block, text] of Object.entries(errors)) {
      if (!known.includes(block)) toast(text, "problem");
    }
    element.querySelector(".wrong input, .wrong textarea")?.focus();
  }

  async function close(view) {
    await closeView(view.id);
    await changed();
  }

  return { element, show };
}

/** Files chosen in a field, as the interface takes them. */
async function withFiles(values) {
  const found = {};
  for (const [name, value] of Object.entries(values)) {
    const files = Array.isArray(value) && value[0] instanceof File;
    found[name] = files
      ? await Promise.all(value.map(async (file) => ({ name: file.name, content_base64: await base64(file) })))
      : value;
  }
  return found;
}
