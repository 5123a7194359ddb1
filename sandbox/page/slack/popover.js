// A box that opens under a control, above everything else, and closes by itself.

import { h } from "../dom.js";

let open = null;

/**
 * Open *content* under *anchor*; `closed` is called once when it closes.
 * Answers a function that closes it and, unless told otherwise, gives the focus back.
 */
export function openPopover(anchor, content, { closed = () => {}, className = "", focusBack = true } = {}) {
  open?.close(false);
  const box = h("div", { class: `popover ${className}`, popover: "manual" }, content);
  // Beside its anchor in the tree, so that a dialog's own focus rules include it.
  anchor.after(box);
  box.showPopover();
  place(box, anchor);

  const outside = (event) => {
    if (!box.contains(event.target) && !anchor.contains(event.target)) close(false);
  };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    close(true);
  };
  const moved = (event) => {
    if (!box.contains(event.target)) place(box, anchor);
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("scroll", moved, true);
  document.addEventListener("keydown", escape, true);

  function close(focus = true) {
    if (open !== handle) return;
    open = null;
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("scroll", moved, true);
    document.removeEventListener("keydown", escape, true);
    box.remove();
    closed();
    if (focus && focusBack && anchor.isConnected) anchor.focus();
  }
  const handle = { close };
  open = handle;
  return close;
}

function place(box, anchor) {
  const around = anchor.getBoundingClientRect();
  const gap = 4;
  box.style.minWidth = `${Math.max(around.width, 120)}px`;
  const size = box.getBoundingClientRect();
  const below = window.innerHeight - around.bottom - gap;
  const top = size.height <= below || below >= around.top ? around.bottom + gap : around.top - gap - size.height;
  box.style.top = `${Math.max(gap, Math.min(top, window.innerHeight - size.height - gap))}px`;
  box.style.left = `${Math.max(gap, Math.min(around.left, window.innerWidth - size.width - gap))}px`;
}

/** A menu of *items* (`{text, description?, danger?, disabled?, pick}`) under *anchor*. */
export function openMenu(anchor, items) {
  const buttons = items.map((item) => h("button", {
    type: "button",
    role: "menuitem",
    class: item.danger ? "danger" : null,
    disabled: item.disabled ?? false,
    on: {
      click: () => {
        close();
        item.pick();
      },
    },
  }, h("span", {}, item.text), item.description ? h("small", {}, item.description) : null));
  const menu = h("div", { class: "menu", role: "menu" }, buttons);
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.indexOf(document.activeElement);
    buttons[(at + step + buttons.length) % buttons.length].focus();
  });
  const close = openPopover(anchor, menu, {
    className: "menu-box",
    closed: () => anchor.setAttribute("aria-expanded", "false"),
  });
  anchor.setAttribute("aria-expanded", "true");
  buttons.find((button) => !button.disabled)?.focus();
}
