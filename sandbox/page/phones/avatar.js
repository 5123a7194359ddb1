// A round face for a phone: the first letter of its name, or its last digits.

import { h } from "../dom.js";

const HUES = 6;

export function avatar({ phone, name }) {
  return h("span", { class: `face hue-${Number(phone.slice(-2)) % HUES}`, "aria-hidden": "true" }, name ? name.slice(0, 1).toUpperCase() : phone.slice(-2));
}
