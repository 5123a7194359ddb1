// The WhatsApp half of the page: the list of phones and the one in the hand.

import { get } from "../api.js";
import { directory } from "../directory.js";
import { fill, h } from "../dom.js";
import { follow } from "../live.js";
import { phoneList } from "./list.js";
import { phonePane } from "./phone.js";

/** Build the phones into *root*. */
export function pocket(root) {
  // How much of each chat was seen, by the list's own count of what came since.
  const seen = new Map();
  const extra = new Set();
  let phones = [];

  const list = phoneList({ choose: (phone, options) => choose(phone, options) });
  const phone = phonePane({
    nameOf: (number) => phones.find((candidate) => candidate.phone === number)?.name ?? "",
    opened: (number) => see(number),
  });
  const none = h("div", { class: "empty" }, h("h3", {}, "No phone in hand"), h("p", {}, "Choose one on the list, or add a new one by its number."));
  const numbers = h("small", { class: "business" });
  fill(root, h("header", { class: "pane-head phones-head" }, h("h2", {}, "Phones"), numbers), h("div", { class: "phones-content" }, list.element, h("div", { class: "hand" }, none, phone.element)));

  function drawNumbers() {
    numbers.textContent = directory.numbers.map((number) => `business ${number.phone}`).join(", ");
  }

  function choose(number, { keepFocus = false } = {}) {
    if (!phones.some((candidate) => candidate.phone === number)) {
      extra.add(number);
      show();
    }
    none.hidden = true;
    list.mark(number);
    phone.open(number, { focus: !keepFocus });
  }

  function see(number) {
    const known = phones.find((candidate) => candidate.phone === number);
    if (!known || seen.get(number) === known.unread) return;
    seen.set(number, known.unread);
    show();
  }

  function show() {
    const known = new Set(phones.map((candidate) => candidate.phone));
    const added = [...extra].filter((number) => !known.has(number)).map((number) => ({ phone: number, unread: 0, last_at: null }));
    list.show([...added, ...phones.map((candidate) => ({
      ...candidate,
      unread: candidate.phone === phone.phone ? 0 : Math.max(0, (candidate.unread ?? 0) - (seen.get(candidate.phone) ?? 0)),
    }))]);
    list.mark(phone.phone);
  }

  const refresh = follow((topic) => topic === "whatsapp", async () => {
    phones = (await get("whatsapp/phones")).phones;
    if (phone.phone !== null) seen.set(phone.phone, phones.find((candidate) => candidate.phone === phone.phone)?.unread ?? 0);
    show();
    phone.rename();
    if (phone.phone === null && phones.length > 0) choose(list.first, { keepFocus: true });
  }, { pause: 600 });

  drawNumbers();
  refresh();
}
