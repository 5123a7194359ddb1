// The interactive elements of Block Kit. Each is given its value and tells of a new one.
//
// Values are as the interface wants them: text for a single choice, a text or a date, a list of
// texts for many choices, Unix seconds for a date and time, nothing for a button. What was chosen
// from the bot's own options is the whole option, since nobody else knows its text.

import { directory } from "../directory.js";
import { h, icon, ICONS } from "../dom.js";
import { plain } from "./entities.js";
import { mrkdwn } from "./mrkdwn.js";
import { openMenu } from "./popover.js";
import { select } from "./select.js";

const TYPING_MS = 700;
let groups = 0;

/**
 * Draw *element*. `value` is the present one (undefined: the element's own initial one);
 * `changed(value)` is called for each new one; `fetch(query)` asks the bot for options.
 */
export function control(element, { value, changed, fetch, label = "", now }) {
  const draw = DRAW[element.type];
  if (!draw) return h("span", { class: "unknown-block" }, `(${element.type})`);
  return draw(element, { value: value === undefined ? initialValue(element) : value, changed, fetch, label, now });
}

/** What *element* holds before anybody touched it; undefined for nothing. */
export function initialValue(element) {
  const one = (option) => option?.value;
  const many = (options) => options?.map((option) => option.value);
  switch (element.type.replace(/^multi_(.*)$/, "multi $1")) {
    case "external_select":
      return element.initial_option;
    case "multi external_select":
      return element.initial_options;
    case "static_select":
    case "radio_buttons":
      return one(element.initial_option);
    case "multi static_select":
    case "checkboxes":
      return many(element.initial_options);
    case "users_select":
      return element.initial_user;
    case "multi users_select":
      return element.initial_users;
    case "channels_select":
      return element.initial_channel;
    case "multi channels_select":
      return element.initial_channels;
    case "conversations_select":
      return element.initial_conversation;
    case "multi conversations_select":
      return element.initial_conversations;
    case "datepicker":
      return element.initial_date;
    case "timepicker":
      return element.initial_time;
    case "datetimepicker":
      return element.initial_date_time;
    default:
      return element.initial_value;
  }
}

const DRAW = {
  button: drawButton,
  workflow_button: drawButton,
  icon_button: drawButton,
  feedback_buttons: drawFeedback,
  overflow: drawOverflow,
  static_select: drawSelect,
  external_select: drawSelect,
  users_select: drawSelect,
  channels_select: drawSelect,
  conversations_select: drawSelect,
  multi_static_select: drawSelect,
  multi_external_select: drawSelect,
  multi_users_select: drawSelect,
  multi_channels_select: drawSelect,
  multi_conversations_select: drawSelect,
  checkboxes: drawChoices,
  radio_buttons: drawChoices,
  datepicker: (element, ways) => drawMoment(element, ways, "date"),
  timepicker: (element, ways) => drawMoment(element, ways, "time"),
  datetimepicker: (element, ways) => drawMoment(element, ways, "datetime-local"),
  plain_text_input: (element, ways) => drawText(element, ways, "text"),
  rich_text_input: drawRichText,
  email_text_input: (element, ways) => drawText(element, ways, "email"),
  url_text_input: (element, ways) => drawText(element, ways, "url"),
  number_input: (element, ways) => drawText(element, ways, "number"),
  file_input: drawFiles,
};

function drawButton(element, { changed }) {
  const words = plain(element.text) || element.icon || "";
  const button = h(element.url ? "a" : "button", {
    class: ["button", element.style ?? ""].join(" ").trim(),
    type: element.url ? null : "button",
    href: element.url && /^https?:/i.test(element.url) ? element.url : null,
    target: element.url ? "_blank" : null,
    rel: element.url ? "noopener noreferrer" : null,
    "aria-label": element.accessibility_label,
    "data-focus": `${element.action_id}:${element.value ?? ""}`,
    "data-action": element.action_id,
    on: { click: () => changed(undefined, button) },
  }, words);
  return button;
}

function drawFeedback(element, { changed }) {
  return h("span", { class: "feedback" }, ["positive_button", "negative_button"].map((name) => {
    const one = element[name];
    return h("button", {
      type: "button",
      class: "button small",
      "aria-label": one.accessibility_label,
      "data-action": element.action_id,
      on: { click: (event) => changed(one.value, event.currentTarget) },
    }, plain(one.text));
  }));
}

function drawOverflow(element, { changed }) {
  const button = h("button", {
    type: "button",
    class: "button overflow",
    "aria-label": "More actions",
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    "data-focus": element.action_id,
    "data-action": element.action_id,
    on: {
      click: () => openMenu(button, (element.options ?? []).map((option) => ({
        text: plain(option.text),
        description: plain(option.description),
        pick: () => {
          if (option.url && /^https?:/i.test(option.url)) window.open(option.url, "_blank", "noopener");
          changed(option.value, button);
        },
      }))),
    },
  }, icon(ICONS.more));
  return button;
}

function drawSelect(element, { value, changed, fetch, label }) {
  const multiple = element.type.startsWith("multi_");
  const values = value === undefined || value === null ? [] : [value].flat();
  const box = select(element, {
    label,
    fetch,
    chosen: values.map((one) => (typeof one === "object" ? one : optionOf(element, one))),
    changed: (options) => {
      const picked = element.type.includes("external") ? options : options.map((option) => option.value);
      changed(multiple ? picked : picked[0], box, options);
    },
  });
  return box;
}

function optionOf(element, value) {
  const all = [
    ...(element.options ?? []),
    ...(element.option_groups ?? []).flatMap((group) => group.options ?? []),
    ...(element.initial_options ?? []),
    ...(element.initial_option ? [element.initial_option] : []),
  ];
  const found = all.find((option) => option.value === value);
  if (found) return found;
  let text = value;
  if (element.type.includes("users")) text = directory.userName(value);
  if (element.type.includes("channels") || element.type.includes("conversations")) text = `#${directory.channelName(value)}`;
  return { value, text: { type: "plain_text", text: String(text), emoji: false } };
}

function drawChoices(element, { value, changed, label, now }) {
  const many = element.type === "checkboxes";
  const name = `choices-${(groups += 1)}`;
  const chosen = new Set([value ?? []].flat());
  const box = h("fieldset", { class: "choices", "aria-label": label || null });
  for (const option of element.options ?? []) {
    const words = (text) => (text?.type === "mrkdwn" ? mrkdwn(text.text, { now }) : plain(text));
    const input = h("input", {
      type: many ? "checkbox" : "radio",
      name,
      value: option.value,
      checked: chosen.has(option.value),
      "data-focus": `${element.action_id}:${option.value}`,
      "data-action": element.action_id,
      on: {
        change: () => {
          const picked = [...box.querySelectorAll("input:checked")].map((candidate) => candidate.value);
          changed(many ? picked : picked[0], box);
        },
      },
    });
    box.append(h("label", {}, input, h("span", {}, h("span", {}, words(option.text)), option.description ? h("small", {}, words(option.description)) : null)));
  }
  return box;
}

function drawMoment(element, { value, changed, label }, type) {
  let timer = null;
  const shown = type === "datetime-local" && value !== undefined && value !== null ? localOf(value) : value;
  const input = h("input", {
    type,
    class: "field moment",
    value: shown ?? "",
    "aria-label": label || plain(element.placeholder) || { date: "Date", time: "Time" }[type] || "Date and time",
    title: type === "date" ? null : `Times of ${directory.zone}`,
    "data-focus": element.action_id,
    "data-action": element.action_id,
  });
  // Browsers tell of every digit of a year being typed; wait until it is one.
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(tell, TYPING_MS);
  });
  input.addEventListener("blur", () => {
    if (timer !== null) tell();
  });
  function tell() {
    clearTimeout(timer);
    timer = null;
    if (input.value === "" || input.value.startsWith("0") && type !== "time") {
      if (input.value === "") changed(null, input);
      return;
    }
    changed(type === "datetime-local" ? instantOf(input.value) : input.value, input);
  }
  return input;
}

/** `2026-11-21T14:05` of the organization's zone, for Unix seconds. */
function localOf(seconds) {
  const text = new Date(seconds * 1000).toLocaleString("sv-SE", { timeZone: directory.zone });
  return text.replace(" ", "T").slice(0, 16);
}

/** Unix seconds of a local time of the organization's zone. */
function instantOf(local) {
  const wanted = Date.parse(`${local}:00Z`);
  let instant = wanted;
  // Twice, because the first guess may lie on the other side of a change of the clocks.
  for (let round = 0; round < 2; round += 1) {
    instant += wanted - Date.parse(`${localOf(instant / 1000)}:00Z`);
  }
  return instant / 1000;
}

function drawText(element, { value, changed, label }, type) {
  const config = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const input = h(element.multiline ? "textarea" : "input", {
    class: "field",
    type: element.multiline ? null : type,
    step: type === "number" ? (element.is_decimal_allowed ? "any" : "1") : null,
    min: element.min_value,
    max: element.max_value,
    minlength: element.min_length,
    maxlength: element.max_length,
    rows: element.multiline ? "4" : null,
    value: value ?? "",
    placeholder: plain(element.placeholder),
    "aria-label": label || null,
    "data-focus": element.action_id,
    "data-action": element.action_id,
    autofocus: element.focus_on_load ?? false,
  });
  input.addEventListener("input", () => changed(input.value, input, null, { settled: config.includes("on_character_entered") }));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || element.multiline || event.isComposing) return;
    changed(input.value, input, null, { settled: config.includes("on_enter_pressed"), entered: true });
  });
  return input;
}

/** Rich text is written as plain lines; its value is the rich_text object Slack would make of it. */
function drawRichText(element, { value, changed, label }) {
  const field = drawText({ ...element, multiline: true }, {
    label,
    value: value ? plainLines(value) : "",
    changed: (text, ...rest) => changed(text === "" ? null : {
      type: "rich_text",
      elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }],
    }, ...rest),
  }, "text");
  return field;
}

function plainLines(piece) {
  if (piece.type === "text") return piece.text;
  const lines = (piece.elements ?? []).map(plainLines);
  return lines.join(piece.type === "rich_text" || piece.type === "rich_text_list" ? "\n" : "");
}

function drawFiles(element, { changed, label }) {
  const accepted = (element.filetypes ?? []).map((type) => `.${type}`).join(",");
  const input = h("input", {
    type: "file",
    class: "field",
    accept: accepted || null,
    multiple: (element.max_files ?? 10) > 1,
    "aria-label": label || "Files",
    "data-action": element.action_id,
    on: { change: () => changed([...input.files], input) },
  });
  return input;
}
