// What the pretend platforms refused: the first place to look when nothing happens.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { follow } from "./live.js";
import { clockTime } from "./times.js";

const SHOWN = 20;
const NAMES = { slack: "Slack", whatsapp: "WhatsApp" };

/** A section with the latest refusals; `heard(count)` is told how many there are. */
export function refusalList({ heard }) {
  const list = h("ul", { class: "refusals" });
  const element = h("section", { "aria-label": "Refused by the platforms" }, h("h3", {}, "Refused by the platforms"), list);

  async function load() {
    const { refusals } = await get("refusals");
    heard(refusals.length);
    fill(list, refusals.length === 0
      ? h("li", { class: "muted" }, "Nothing. Each call that Slack or WhatsApp would refuse is listed here, with the reason.")
      : refusals.slice(-SHOWN).reverse().map((refusal) => h("li", {},
        h("strong", {}, `${NAMES[refusal.platform] ?? refusal.platform} ${refusal.method ?? refusal.code ?? ""}`),
        h("small", {}, clockTime(new Date(refusal.ms)), refusal.to ? `, to ${refusal.to}` : ""),
        h("div", {}, [refusal.error, ...(refusal.messages ?? [])].filter(Boolean).join("; ")))));
  }

  const refresh = follow((topic) => topic === "refusals", load, { pause: 500 });
  refresh();
  return { element, refresh };
}
