// The business clock: what time it is, and jumping ahead.

import { get, post } from "./api.js";
import { fill, h, icon, ICONS } from "./dom.js";
import { follow } from "./live.js";
import { session } from "./session.js";
import { clockSeconds, shortDay, span } from "./times.js";
import { toast } from "./toast.js";

const JUMPS = [["+1 min", 60], ["+1 hour", 3600], ["+1 day", 86400], ["+2 days", 172800], ["+1 week", 604800]];
const UNITS = [["minutes", 60], ["hours", 3600], ["days", 86400], ["weeks", 604800]];
const STANDSTILL_MS = 500;

/** Build the clock. Answers its element. */
export function clockBar() {
  let walking = null;

  const time = h("time", { class: "clock-time" });
  const day = h("span", { class: "clock-day" });
  const ahead = h("span", { class: "clock-ahead" });
  const progress = h("p", { class: "walk", role: "status", "aria-live": "polite", hidden: true });
  const amount = h("input", { type: "number", class: "field", min: "1", value: "3", "aria-label": "How many" });
  const unit = h("select", { class: "field", "aria-label": "Unit" }, UNITS.map(([name, seconds]) => h("option", { value: String(seconds), selected: name === "days" }, name)));
  const custom = h("form", { class: "jump-custom", on: { submit: (event) => {
    event.preventDefault();
    const seconds = Number(amount.value) * Number(unit.value);
    if (seconds > 0) walk(seconds);
  } } }, amount, unit, h("button", { type: "submit", class: "button small" }, "Jump"));
  const jumps = h("div", { class: "jumps", role: "group", "aria-label": "Jump ahead" },
    JUMPS.map(([words, seconds]) => h("button", { type: "button", class: "button small", "data-jump": String(seconds), on: { click: () => walk(seconds) } }, words)), custom);
  const element = h("div", { class: "clock", role: "group", "aria-label": "Business clock" },
    h("div", { class: "clock-face" }, icon(ICONS.clock), h("div", {}, h("div", { class: "clock-now" }, time, day), ahead)),
    jumps, progress);

  function tick() {
    const now = session.now;
    time.textContent = clockSeconds(now);
    time.setAttribute("datetime", now.toISOString());
    day.textContent = `${shortDay(now)} ${now.getUTCFullYear()}`;
    ahead.textContent = session.ahead > 0.5 ? `${span(session.ahead)} ahead of real time` : "business time = real time";
  }

  /** Jump, and go on with what is unfinished until all is settled or the person stops it. */
  async function walk(seconds) {
    const mine = { stopped: false };
    if (walking) walking.stopped = true;
    walking = mine;
    element.setAttribute("aria-busy", "true");
    const began = session.now.getTime();
    let steps = 0;
    const watch = setInterval(async () => {
      try {
        session.set(await get("clock"));
        tick();
      } catch {
        // The walk itself says when the sandbox cannot be reached.
      }
      if (walking === mine) tell(mine, `Walking: ${span((session.now.getTime() - began) / 1000)} so far`);
    }, 1000);
    tell(mine, seconds > 0 ? `Jumping ${span(seconds)}…` : "Going on…");
    try {
      let add = seconds;
      for (;;) {
        const before = performance.now();
        const answer = await post("clock/advance", { seconds: add });
        add = 0;
        steps += answer.steps ?? 0;
        session.set({ now: answer.now, offset_s: answer.offset_s ?? session.ahead });
        await session.readClock();
        tick();
        if (mine.stopped) return;
        if (answer.settled) {
          finish(`Settled after ${steps} ${steps === 1 ? "step" : "steps"}.`);
          return;
        }
        mine.waiting = waitingText(answer.waiting_for);
        tell(mine, "Not settled yet");
        if (performance.now() - before < STANDSTILL_MS) await new Promise((resume) => setTimeout(resume, STANDSTILL_MS));
        if (mine.stopped) return;
      }
    } catch (problem) {
      toast(`The clock: ${problem.message}`, "problem");
      if (walking === mine) finish("The walk broke off.", true);
    } finally {
      clearInterval(watch);
    }
  }

  function tell(mine, text) {
    progress.hidden = false;
    fill(progress, h("span", { class: "spinner", "aria-hidden": "true" }), text, mine.waiting ? `, waiting for ${mine.waiting}` : "",
      h("button", { type: "button", class: "link-button", on: { click: () => {
        mine.stopped = true;
        finish("Stopped looking; the rest of the walk is kept.", true);
      } } }, "Stop"));
  }

  function finish(text, unfinished = false) {
    walking = null;
    element.removeAttribute("aria-busy");
    progress.hidden = false;
    fill(progress, text, unfinished ? h("button", { type: "button", class: "link-button", on: { click: () => walk(0) } }, "Go on") : null);
    if (!unfinished) {
      setTimeout(() => {
        if (walking === null) progress.hidden = true;
      }, 6000);
    }
  }

  follow((topic) => topic.startsWith("clock"), () => session.readClock().then(tick), { pause: 50 });
  tick();
  setInterval(tick, 1000);
  return element;
}

/** `waiting_for` in words, whether it is a text, a list or an object of counts. */
function waitingText(waiting) {
  if (!waiting) return "";
  if (typeof waiting === "string") return waiting;
  if (Array.isArray(waiting)) return waiting.map(waitingText).join(", ");
  return Object.entries(waiting).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}
