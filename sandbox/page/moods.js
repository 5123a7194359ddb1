// The moods of the pretend WhatsApp: every one can be turned, and all put back.

import { get, post } from "./api.js";
import { fill, h, ICONS } from "./dom.js";
import { follow } from "./live.js";
import { panel } from "./panel.js";
import { reviewRows } from "./review.js";
import { attempt, toast } from "./toast.js";

const DEFAULTS = {
  latency_ms: [50, 150],
  sent: 1,
  delivered: 1,
  read: 0.6,
  reply: 0,
  stop: 0,
  delays_s: { sent: 1, delivered: 2, read: 30, reply: 60 },
  errors: {},
  outage: "none",
  lose_answer: 0,
  webhooks: { late_s: 0, doubled: 0, shuffled: 0, withheld: 0 },
  seed: 1,
};
const SHARES = [
  ["sent", "Sent", "of accepted messages"],
  ["delivered", "Delivered", "of sent ones"],
  ["read", "Read", "of delivered ones"],
  ["reply", "Reply", "of delivered ones"],
  ["stop", "STOP", "of delivered ones, answered with STOP"],
  ["lose_answer", "Lost answers", "of accepted calls, whose answer never arrives"],
];
const DELAYS = [["sent", "until sent"], ["delivered", "until delivered"], ["read", "until read"], ["reply", "until the reply"]];
const HOOKS = [["doubled", "sent twice"], ["shuffled", "overtaken by others"], ["withheld", "never sent"]];
const OUTAGES = [["none", "No outage"], ["refuse", "Refuse connections"], ["500", "Answer 500"], ["hang", "Hang without an answer"]];
const CODES = [
  ["131026", "undeliverable"],
  ["131049", "not sent, for a healthy ecosystem"],
  ["131050", "stopped marketing from you"],
  ["131047", "outside the 24 h window"],
  ["131056", "too many to this pair"],
  ["130429", "rate limit"],
  ["130472", "part of an experiment"],
  ["131000", "something went wrong"],
];

/** Build the panel. */
export function moodsPanel() {
  const body = h("div", { class: "moods" });
  let moods = null;
  let templates = [];
  let editing = false;

  async function change(part) {
    await attempt(async () => {
      await post("whatsapp/moods", part);
      await load();
    });
  }

  async function load() {
    [moods, { templates }] = await Promise.all([get("whatsapp/moods"), get("whatsapp/templates")]);
    const field = document.activeElement;
    editing = body.contains(field) && field.matches("input[type=number], input[type=text]");
    if (!editing) draw();
  }

  function draw() {
    const focus = document.activeElement?.dataset?.focus;
    fill(body,
      h("p", { class: "muted" }, "How the pretend WhatsApp and the people behind the phones behave. Changes hold for the next message; delays run on the business clock."),
      group("People and delivery", SHARES.slice(0, 5).map(([key, name, about]) => share(name, about, moods[key], (value) => change({ [key]: value }), key))),
      group("Delays", DELAYS.map(([key, about]) => number(`Seconds ${about}`, moods.delays_s[key], (value) => change({ delays_s: { [key]: value } }), `delay-${key}`))),
      group("Errors", [errorRows(), addError()]),
      group("Templates under review", [reviewRows(templates, load)]),
      group("The platform", [
        outage(),
        number("Answers take at least (ms)", moods.latency_ms[0], (value) => change({ latency_ms: [value, Math.max(value, moods.latency_ms[1])] }), "latency-least"),
        number("and at most (ms)", moods.latency_ms[1], (value) => change({ latency_ms: [Math.min(value, moods.latency_ms[0]), value] }), "latency-most"),
        share("Lost answers", SHARES[5][2], moods.lose_answer, (value) => change({ lose_answer: value }), "lose_answer"),
        number("Seed of chance", moods.seed, (value) => change({ seed: Math.round(value) }), "seed"),
      ]),
      group("Webhooks", [
        number("Late by (seconds)", moods.webhooks.late_s, (value) => change({ webhooks: { late_s: value } }), "late"),
        HOOKS.map(([key, about]) => share(about[0].toUpperCase() + about.slice(1), "of webhooks", moods.webhooks[key], (value) => change({ webhooks: { [key]: value } }), `hook-${key}`)),
      ]),
      h("button", { type: "button", class: "button danger", on: { click: reset } }, "Put all moods back"));
    if (focus) [...body.querySelectorAll("[data-focus]")].find((element) => element.dataset.focus === focus)?.focus();
  }

  function group(name, children) {
    return h("fieldset", { class: "mood-group" }, h("legend", {}, name), children);
  }

  function share(name, about, value, changed, key) {
    const shown = h("output", {}, percent(value));
    return h("label", { class: "mood share" }, h("span", {}, name, " ", h("small", {}, about)),
      h("input", { type: "range", min: "0", max: "1", step: "0.01", value: String(value), "data-focus": key, "data-mood": key, "aria-valuetext": percent(value), on: {
        input: (event) => {
          shown.textContent = percent(Number(event.target.value));
        },
        change: (event) => changed(Number(event.target.value)),
      } }), shown);
  }

  function number(name, value, changed, key) {
    return h("label", { class: "mood" }, h("span", {}, name), h("input", { type: "number", class: "field", min: "0", step: "any", value: String(value), "data-mood": key, on: {
      change: (event) => {
        if (event.target.value !== "" && event.target.validity.valid) changed(Number(event.target.value));
      },
    } }));
  }

  function outage() {
    const choice = h("select", { class: "field", "data-focus": "outage", "data-mood": "outage", on: { change: () => change({ outage: choice.value }) } },
      OUTAGES.map(([value, words]) => h("option", { value, selected: (moods.outage ?? "none") === value }, words)));
    return h("label", { class: "mood" }, h("span", {}, "Outage"), choice);
  }

  function errorRows() {
    const rows = Object.entries(moods.errors).filter(([, value]) => value > 0);
    if (rows.length === 0) return h("p", { class: "muted" }, "No message meets an error. Add one to see how the product copes.");
    return rows.map(([code, value]) => h("div", { class: "mood-error" },
      share(code, CODES.find(([known]) => known === code)?.[1] ?? "", value, (part) => change({ errors: { [code]: part } }), `error-${code}`),
      h("button", { type: "button", class: "link-button", "aria-label": `No more errors ${code}`, on: { click: () => change({ errors: { [code]: 0 } }) } }, "remove")));
  }

  function addError() {
    const code = h("input", { type: "text", class: "field", list: "error-codes", inputmode: "numeric", pattern: "[0-9]+", placeholder: "131026", "aria-label": "Code of an error" });
    return h("form", { class: "mood-add", on: { submit: (event) => {
      event.preventDefault();
      const wanted = code.value.trim();
      code.blur();
      if (/^\d+$/.test(wanted)) change({ errors: { [wanted]: 0.1 } });
    } } }, code, h("datalist", { id: "error-codes" }, CODES.map(([value, words]) => h("option", { value }, words))), h("button", { type: "submit", class: "button small" }, "Add 10 %"));
  }

  async function reset() {
    const zeros = Object.fromEntries(Object.keys(moods.errors).map((code) => [code, 0]));
    await change({ ...DEFAULTS, errors: zeros });
    toast("All moods are as at the start.");
  }

  body.addEventListener("focusout", () => {
    // What was fetched while a number was being typed is drawn when the field is left.
    setTimeout(() => {
      if (editing && !body.contains(document.activeElement)) load();
    }, 100);
  });

  const built = panel({ name: "Moods", symbol: ICONS.moods, content: body, opened: () => attempt(load) });
  follow((topic) => topic.startsWith("moods") || topic.startsWith("overview"), () => (built.element.hidden ? undefined : load()));
  return built;
}

function percent(value) {
  const parts = value * 100;
  return `${Number.isInteger(Math.round(parts * 10) / 10) ? Math.round(parts) : parts.toFixed(1)} %`;
}
