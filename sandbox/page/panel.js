// A panel that slides over the right edge: one at a time, opened by a button of the bar.

import { h, icon, ICONS } from "./dom.js";

let current = null;

/** A button and its panel. `opened` is called each time it opens. */
export function panel({ name, symbol, content, opened }) {
  const id = `panel-${name.toLowerCase()}`;
  const button = h("button", { type: "button", class: "button bar-button", title: name, "aria-expanded": "false", "aria-controls": id, on: { click: () => toggle() } }, icon(symbol), h("span", {}, name));
  const element = h("aside", { class: "panel", id, "aria-label": name, hidden: true, on: { keydown: (event) => {
    if (event.key === "Escape") toggle(false);
  } } },
  h("header", { class: "pane-head" }, h("h2", {}, name), h("button", { type: "button", class: "icon-button", "aria-label": `Close ${name}`, on: { click: () => toggle(false) } }, icon(ICONS.close))),
  h("div", { class: "panel-body" }, content));

  function toggle(show = element.hidden) {
    if (show && current !== toggle) current?.(false);
    element.hidden = !show;
    button.setAttribute("aria-expanded", String(show));
    current = show ? toggle : current === toggle ? null : current;
    if (show) {
      opened?.();
      element.querySelector(".panel-body button, .panel-body input, .panel-body select")?.focus();
    } else if (element.contains(document.activeElement) || document.activeElement === document.body) {
      button.focus();
    }
  }
  return { button, element };
}
