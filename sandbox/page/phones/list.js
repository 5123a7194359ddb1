// The list of phones. Only rows in view are drawn, so that thousands stay light.

import { directory } from "../directory.js";
import { fill, h } from "../dom.js";
import { session } from "../session.js";
import { brief } from "../times.js";
import { avatar } from "./avatar.js";

const ROW_PX = 56;
const SPARE = 6;

/** The list; `choose(phone)` when a person picks one. */
export function phoneList({ choose }) {
  let phones = [];
  let shown = [];
  let current = null;
  let stamp = "";

  const search = h("input", { type: "search", class: "field", placeholder: "Search phones", "aria-label": "Search phones" });
  const count = h("p", { class: "phone-count", role: "status" });
  const canvas = h("div", { class: "phone-rows" });
  const scroller = h("div", { class: "phone-scroller", role: "listbox", "aria-label": "Phones", tabindex: "0" }, canvas);
  const number = h("input", { type: "tel", class: "field", placeholder: "+31612345678", "aria-label": "Number of a new phone", autocomplete: "off" });
  const problem = h("p", { class: "field-error", role: "alert", hidden: true });
  const add = h("form", { class: "new-phone", on: { submit: (event) => {
    event.preventDefault();
    const phone = number.value.replace(/[\s().-]/g, "").replace(/^00/, "+");
    problem.hidden = /^\+[1-9]\d{6,14}$/.test(phone);
    problem.textContent = "A number begins with + and its country, like +31612345678.";
    if (!problem.hidden) return;
    number.value = "";
    choose(phone);
  } } }, number, h("button", { type: "submit", class: "button small" }, "New phone"), problem);
  const element = h("div", { class: "phone-list" }, h("div", { class: "phone-tools" }, search, count), scroller, add);

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    const digits = wanted.replace(/[^\d+]/g, "");
    shown = wanted === "" ? phones : phones.filter((phone) => (digits && phone.phone.includes(digits))
      || (phone.name ?? "").toLowerCase().includes(wanted) || excerptOf(phone).toLowerCase().includes(wanted));
    count.textContent = phones.length === 0 ? "" : wanted ? `${shown.length} of ${phones.length}` : `${phones.length} ${phones.length === 1 ? "phone" : "phones"}`;
    canvas.style.height = `${shown.length * ROW_PX}px`;
    stamp = "";
    paint();
  }

  function paint() {
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_PX) - SPARE);
    const last = Math.min(shown.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW_PX) + SPARE);
    const rows = shown.slice(first, last);
    const mark = JSON.stringify([first, current, rows, directory.zone]);
    if (mark === stamp) return;
    stamp = mark;
    if (shown.length === 0) {
      fill(canvas, h("p", { class: "empty small" }, phones.length === 0 ? "No phone has heard anything yet. Send something from Slack, or write from a new phone below." : "No phone matches."));
      return;
    }
    fill(canvas, rows.map((phone, index) => row(phone, first + index)));
  }

  function row(phone, index) {
    const drawn = h("div", {
      class: `phone-row${phone.phone === current ? " current" : ""}`,
      role: "option",
      "aria-selected": String(phone.phone === current),
      "aria-posinset": String(index + 1),
      "aria-setsize": String(shown.length),
      id: `phone-${phone.phone.slice(1)}`,
      "data-phone": phone.phone,
      on: { click: () => choose(phone.phone) },
    },
    avatar(phone),
    h("div", { class: "phone-words" },
      h("div", { class: "phone-first" }, h("strong", {}, phone.name || phone.phone), phone.last_at ? h("time", {}, brief(new Date(phone.last_at), session.now)) : null),
      h("div", { class: "phone-second" }, h("span", {}, excerptOf(phone) || phone.phone), phone.unread ? h("span", { class: "unread-count", "aria-label": `${phone.unread} unread` }, phone.unread > 99 ? "99+" : phone.unread) : null)));
    drawn.style.top = `${index * ROW_PX}px`;
    return drawn;
  }

  function reveal() {
    const index = shown.findIndex((phone) => phone.phone === current);
    if (index < 0) return;
    const top = index * ROW_PX;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW_PX > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + ROW_PX - scroller.clientHeight;
  }

  search.addEventListener("input", filter);
  scroller.addEventListener("scroll", () => requestAnimationFrame(paint), { passive: true });
  new ResizeObserver(() => paint()).observe(scroller);
  scroller.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (!step || shown.length === 0) return;
    event.preventDefault();
    const at = shown.findIndex((phone) => phone.phone === current);
    choose(shown[Math.max(0, Math.min(shown.length - 1, at + step))].phone, { keepFocus: true });
  });

  return {
    element,
    show(fresh) {
      phones = fresh;
      filter();
    },
    mark(phone) {
      current = phone;
      scroller.setAttribute("aria-activedescendant", phone ? `phone-${phone.slice(1)}` : "");
      reveal();
      stamp = "";
      paint();
    },
    get first() {
      return phones[0]?.phone ?? null;
    },
    find: (phone) => phones.find((candidate) => candidate.phone === phone),
  };
}

function excerptOf(phone) {
  return phone.last_text ?? "";
}
