// Builds elements. Whatever comes from outside enters as a text node, never as HTML.

const AS_PROPERTY = new Set(["value", "checked", "disabled", "selected", "indeterminate", "hidden", "inert"]);

/**
 * Build one element.
 * Properties: `class`, `dataset` (object), `on` (object of listeners), else attributes; null and
 * false are left out. Children: nodes, text, arrays; null and false are left out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "dataset") {
      Object.assign(element.dataset, value);
    } else if (AS_PROPERTY.has(name)) {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

/** Append nodes and texts, however deeply nested. */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Make *children* the only ones of *parent*. */
export function fill(parent, ...children) {
  const kept = document.createDocumentFragment();
  append(kept, children);
  parent.replaceChildren(kept);
}

/** An inline drawing made of one stroked path in a 24 × 24 box; decoration only. */
export function icon(path, className = "icon") {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  attach: "M21 11.500l-8.600 8.600a5.700 5.700 0 0 1-8-8L13 3.400a3.800 3.800 0 0 1 5.400 5.400l-8.600 8.500a1.900 1.900 0 0 1-2.700-2.700l7.900-7.800",
  send: "M4 4l17 8-17 8 3-8zM7 12h14",
  close: "M6 6l12 12M18 6L6 18",
  reply: "M10 8V4l-7 7 7 7v-4c5 0 8.500 1.600 11 5-1-5-4-10-11-11z",
  thread: "M4 5h16v11H9l-5 4z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  plus: "M12 5v14M5 12h14",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.500 2",
  moods: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4v6M6 14v6",
  health: "M3 12h4l3-8 4 16 3-8h4",
  theme: "M20 14.500A8.500 8.500 0 1 1 9.500 4a7 7 0 0 0 10.500 10.500z",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
};

/**
 * Keep a list of elements in step with a list of values, touching only what changed.
 * A value whose *stamp* (text) is the same keeps its element, its focus and its open menus.
 */
export function reconcile(parent, values, { key, stamp, draw }) {
  const present = new Map();
  for (const element of parent.children) present.set(element.dataset.key, element);
  const focused = rememberFocus(parent);
  let place = parent.firstElementChild;
  for (const [index, value] of values.entries()) {
    const name = String(key(value));
    const mark = stamp(value, index);
    let element = present.get(name);
    present.delete(name);
    if (element === undefined || element.stamp !== mark) {
      const fresh = draw(value, index);
      fresh.dataset.key = name;
      fresh.stamp = mark;
      if (element !== undefined) {
        if (element === place) place = fresh;
        element.replaceWith(fresh);
      }
      element = fresh;
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const element of present.values()) element.remove();
  restoreFocus(parent, focused);
}

/** Where the focus is among elements that carry a `data-focus` name, or null. */
export function rememberFocus(parent) {
  const element = document.activeElement;
  if (!element || !parent.contains(element)) return null;
  const named = element.closest("[data-focus]");
  if (!named) return null;
  const owner = named.closest("[data-key]")?.dataset.key ?? null;
  const caret = typeof named.selectionStart === "number" ? [named.selectionStart, named.selectionEnd] : null;
  return { owner, name: named.dataset.focus, caret };
}

/** Give the focus back to the element of the same name, if it was lost by drawing again. */
export function restoreFocus(parent, remembered) {
  if (!remembered || parent.contains(document.activeElement)) return;
  const scope = remembered.owner === null
    ? parent
    : [...parent.children].find((child) => child.dataset.key === remembered.owner);
  const element = scope && [...scope.querySelectorAll("[data-focus]")]
    .find((candidate) => candidate.dataset.focus === remembered.name);
  if (!element) return;
  element.focus({ preventScroll: true });
  if (remembered.caret && element.setSelectionRange && /^(text|search|tel|url|password)$/.test(element.type ?? "")) {
    element.setSelectionRange(...remembered.caret);
  }
}
