// Where a person writes: `/drip …` is the command, anything else is said; files go with the text.

import { base64 } from "../api.js";
import { fill, h, icon, ICONS } from "../dom.js";
import { attempt, toast } from "../toast.js";
import { command, say, upload } from "./act.js";
import { hintsFor } from "./hints.js";

const KEPT = "dripline-sandbox-history";
const KEPT_LINES = 100;
const COMMAND = /^\/(\S*)\s*([\s\S]*)$/;

/**
 * A composer. `target()` answers `{channel, thread}`; in a thread there are no commands, as in
 * Slack. Answers `{element, focus, insert, take}`; `take(files)` puts files beside the text.
 */
export function composer({ target, placeholder, label }) {
  const chosen = [];
  const history = load();
  let place = history.length;
  let draft = "";
  let active = -1;

  const field = h("textarea", {
    rows: "1",
    class: "composer-field",
    placeholder,
    "aria-label": label,
    "aria-autocomplete": "list",
    spellcheck: "false",
  });
  const hints = h("div", { class: "hints", role: "listbox", "aria-label": "Commands", hidden: true });
  const attached = h("div", { class: "attached", hidden: true });
  const picker = h("input", { type: "file", multiple: true, class: "visually-hidden", tabindex: "-1", "aria-label": "Choose files", on: {
    change: () => {
      take([...picker.files]);
      picker.value = "";
    },
  } });
  const sendButton = h("button", { type: "submit", class: "send", title: "Send (Enter)", "aria-label": "Send" }, icon(ICONS.send));
  const form = h("form", { class: "composer", on: { submit: (event) => {
    event.preventDefault();
    send();
  } } },
  hints,
  attached,
  h("div", { class: "composer-row" },
    h("button", { type: "button", class: "attach", title: "Attach a file", "aria-label": "Attach a file", on: { click: () => picker.click() } }, icon(ICONS.attach)),
    picker, field, sendButton));

  function take(files) {
    chosen.push(...files);
    drawAttached();
    field.focus();
  }

  function drawAttached() {
    attached.hidden = chosen.length === 0;
    fill(attached, chosen.map((file, index) => h("span", { class: "chip" }, icon(ICONS.file), file.name,
      h("button", { type: "button", "aria-label": `Remove ${file.name}`, on: { click: () => {
        chosen.splice(index, 1);
        drawAttached();
      } } }, "×"))));
  }

  async function send() {
    const text = field.value.trim();
    if (text === "" && chosen.length === 0) return;
    const { channel, thread } = target();
    const found = COMMAND.exec(text);
    if (found && chosen.length === 0) {
      if (thread) {
        toast("Slack takes no slash commands in threads. Type it in the channel.", "problem");
        return;
      }
      if (found[1] !== "drip") {
        toast(`/${found[1]} is not a command of this workspace. The only one is /drip.`, "problem");
        return;
      }
    }
    if (thread && chosen.length > 0) {
      toast("Upload files in the channel itself.", "problem");
      return;
    }
    remember(text);
    field.value = "";
    grow();
    showHints();
    const files = chosen.splice(0);
    drawAttached();
    form.setAttribute("aria-busy", "true");
    try {
      if (files.length > 0) {
        for (const [index, file] of files.entries()) {
          await attempt(async () => upload(channel, file.name, await base64(file), index === 0 ? text : null));
        }
      } else if (found) {
        await command(channel, found[2].trim());
      } else {
        await say(channel, text, thread);
      }
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  function remember(text) {
    if (text === "") return;
    if (history.at(-1) !== text) history.push(text);
    history.splice(0, Math.max(0, history.length - KEPT_LINES));
    localStorage.setItem(KEPT, JSON.stringify(history));
    place = history.length;
    draft = "";
  }

  function recall(step) {
    const next = place + step;
    if (next < 0 || next > history.length) return;
    if (place === history.length) draft = field.value;
    place = next;
    field.value = place === history.length ? draft : history[place];
    grow();
    hints.hidden = true;
    field.setSelectionRange(field.value.length, field.value.length);
  }

  function showHints() {
    const found = COMMAND.exec(field.value);
    const wanted = found && target().thread === null && chosen.length === 0 && "drip".startsWith(found[1]) && !field.value.includes("\n");
    const offered = wanted ? hintsFor(found[1] === "drip" ? found[2] : "") : [];
    hints.hidden = offered.length === 0;
    active = -1;
    fill(hints, offered.map((hint) => h("div", {
      class: "hint",
      role: "option",
      "aria-selected": "false",
      on: { pointerdown: (event) => {
        event.preventDefault();
        accept(hint.text);
      } },
    }, h("code", {}, `/drip ${hint.text}`), h("small", {}, hint.about))), offered.length > 0 ? h("p", { class: "hints-foot" }, "↓ choose · Tab take · Enter send") : null);
  }

  function accept(text) {
    insert(`/drip ${text}`);
  }

  function insert(text) {
    field.value = text;
    grow();
    field.focus();
    field.setSelectionRange(text.length, text.length);
    showHints();
  }

  function mark(step) {
    const rows = [...hints.querySelectorAll(".hint")];
    if (rows.length === 0) return;
    rows[active]?.setAttribute("aria-selected", "false");
    active = Math.max(-1, Math.min(rows.length - 1, active + step));
    rows[active]?.setAttribute("aria-selected", "true");
  }

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
  }

  field.addEventListener("input", () => {
    grow();
    showHints();
  });
  field.addEventListener("blur", () => {
    hints.hidden = true;
  });
  field.addEventListener("focus", showHints);
  field.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length > 0) {
      event.preventDefault();
      take(files);
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const marked = active >= 0 ? hints.querySelectorAll(".hint")[active] : null;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (marked && !hints.hidden) accept(marked.querySelector("code").textContent.slice("/drip ".length));
      else send();
    } else if (event.key === "Tab" && !hints.hidden && !event.shiftKey) {
      event.preventDefault();
      const taken = marked ?? hints.querySelector(".hint");
      accept(taken.querySelector("code").textContent.slice("/drip ".length));
    } else if (event.key === "Escape" && !hints.hidden) {
      hints.hidden = true;
    } else if (event.key === "ArrowDown" && !hints.hidden) {
      event.preventDefault();
      mark(1);
    } else if (event.key === "ArrowUp" && !hints.hidden && active >= 0) {
      event.preventDefault();
      mark(-1);
    } else if (event.key === "ArrowUp" && (place < history.length || !field.value.includes("\n"))) {
      event.preventDefault();
      recall(-1);
    } else if (event.key === "ArrowDown" && place < history.length) {
      event.preventDefault();
      recall(1);
    }
  });

  return { element: form, focus: () => field.focus(), insert, take };
}

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((line) => typeof line === "string") : [];
  } catch {
    return [];
  }
}

/** Let files dropped anywhere on *area* go to *take*. */
export function acceptDrops(area, take) {
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  area.addEventListener("dragenter", (event) => {
    if (!files(event)) return;
    depth += 1;
    area.classList.add("dropping");
  });
  area.addEventListener("dragleave", (event) => {
    if (!files(event)) return;
    depth -= 1;
    if (depth === 0) area.classList.remove("dropping");
  });
  area.addEventListener("dragover", (event) => {
    if (files(event)) event.preventDefault();
  });
  area.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    area.classList.remove("dropping");
    take([...event.dataTransfer.files]);
  });
}
