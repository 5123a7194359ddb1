// The parts of the product: which run, and buttons to make them fail.

import { get, post } from "./api.js";
import { fill, h, ICONS } from "./dom.js";
import { follow } from "./live.js";
import { panel } from "./panel.js";
import { refusalList } from "./refusals.js";
import { attempt, toast } from "./toast.js";

const PARTS = {
  bot: "hears Slack and WhatsApp, answers",
  lanes: "sends messages",
  jobs: "plans, imports, reconciles",
  postgres: "remembers everything",
  redis: "wakes the worker",
};
const EVERY_MS = 2000;

/** Build the panel; its button shows whether all is well. */
export function healthPanel() {
  const body = h("div", { class: "health" });
  const lamp = h("span", { class: "lamp", role: "img" });
  const refused = h("span", { class: "refused-count", hidden: true });
  const refusals = refusalList({ heard: (count) => {
    refused.hidden = count === 0;
    refused.textContent = count;
    refused.setAttribute("aria-label", `${count} calls refused by the platforms`);
  } });
  let parts = {};
  let well = null;
  let stamp = "";

  async function load() {
    const answer = await get("health", {}, { any: true });
    const fresh = answer.parts ?? {};
    const ready = answer.status === 200;
    const mark = JSON.stringify(answer);
    parts = fresh;
    well = ready;
    lamp.className = `lamp ${ready ? "well" : "ill"}`;
    lamp.setAttribute("aria-label", ready ? "all parts are ready" : "not all parts are ready");
    if (mark !== stamp) draw(answer.error);
    stamp = mark;
  }

  function draw(note) {
    const focus = document.activeElement?.dataset?.focus;
    fill(body,
      h("p", { class: "muted" }, "Make a part fail and watch the product go on by itself: nothing is lost, nobody is sent to twice."),
      note ? h("p", { class: "field-error", role: "status" }, note) : null,
      h("ul", { class: "parts" }, Object.entries(PARTS).map(([name, about]) => part(name, about, parts[name]))),
      h("div", { class: "fault-row" },
        fault("Restart Postgres", "postgres/restart", {}, "postgres-restart"),
        fault("Flush Redis", "redis/flush", {}, "redis-flush")));
    if (focus) [...body.querySelectorAll("[data-focus]")].find((element) => element.dataset.focus === focus)?.focus();
  }

  function part(name, about, state) {
    const pid = state?.pid;
    return h("li", { class: `part ${pid ? "well" : "ill"}` },
      h("span", { class: `lamp ${pid ? "well" : "ill"}`, role: "img", "aria-label": pid ? "running" : "not running" }),
      h("div", {}, h("strong", {}, name), h("small", {}, about), h("small", { class: "muted" }, pid ? `process ${pid}` : "starting again…")),
      fault("Kill", `parts/${name}/signal`, { signal: "SIGKILL" }, `kill-${name}`, `Kill ${name}`));
  }

  function fault(words, path, payload, focus, label = words) {
    const button = h("button", { type: "button", class: "button small danger", "aria-label": label, "data-focus": focus, on: { click: async () => {
      button.disabled = true;
      await attempt(async () => {
        await post(path, payload);
        toast(`${label}: done.`);
        await load();
      });
      button.disabled = false;
    } } }, words);
    return button;
  }

  const built = panel({ name: "Health", symbol: ICONS.health, content: [body, refusals.element], opened: () => attempt(load) });
  built.button.append(lamp, refused);
  const soon = () => load().catch(() => {
    lamp.className = "lamp ill";
    lamp.setAttribute("aria-label", "the sandbox cannot be reached");
  });
  follow((topic) => topic.startsWith("health") || topic.startsWith("parts"), soon);
  // A part that dies tells nobody: look, often while the panel is open.
  setInterval(() => {
    if (!document.hidden && (!built.element.hidden || well !== true)) soon();
  }, EVERY_MS);
  soon();
  return built;
}
