// Select menus: one or many, from the block's own options, the bot's answers, people or channels.

import { directory } from "../directory.js";
import { fill, h } from "../dom.js";
import { plain } from "./entities.js";
import { openPopover } from "./popover.js";

const DELAY_MS = 200;
let count = 0;

/**
 * Draw the select *element*. `chosen` is the list of chosen options as objects of Slack;
 * `changed` gets the list of chosen options; `fetch(query)` asks the bot for an external select.
 */
export function select(element, { chosen, changed, fetch, label }) {
  const multiple = element.type.startsWith("multi_");
  const source = sourceOf(element, fetch);
  const listId = `options-${(count += 1)}`;
  let picked = chosen;
  let close = null;
  let dirty = false;

  const chips = h("span", { class: "chips" });
  const field = h("input", {
    type: "text",
    class: "select-field",
    role: "combobox",
    autocomplete: "off",
    "aria-expanded": "false",
    "aria-autocomplete": "list",
    "aria-controls": listId,
    "aria-label": label || plain(element.placeholder) || "Choose",
    "data-focus": element.action_id,
    "data-action": element.action_id,
    placeholder: plain(element.placeholder) || (multiple ? "Choose some" : "Choose an option"),
    spellcheck: "false",
  });
  const box = h("div", { class: `select ${multiple ? "multiple" : "single"}` }, multiple ? chips : null, field);
  const list = h("div", { class: "options", role: "listbox", id: listId, "aria-multiselectable": multiple ? "true" : null });
  let active = -1;
  let timer = null;
  let asked = 0;

  function show() {
    if (multiple) {
      fill(chips, picked.map((option) => h("span", { class: "chip" }, plain(option.text),
        h("button", { type: "button", "aria-label": `Remove ${plain(option.text)}`, on: { click: () => toggle(option) } }, "×"))));
      field.value = "";
    } else {
      field.value = picked.length > 0 ? plain(picked[0].text) : "";
    }
  }

  function start() {
    if (close) return;
    if (!multiple) field.select();
    close = openPopover(box, list, {
      className: "options-box",
      focusBack: false,
      closed: () => {
        close = null;
        field.setAttribute("aria-expanded", "false");
        field.removeAttribute("aria-activedescendant");
        show();
        if (dirty) {
          dirty = false;
          changed(picked);
        }
      },
    });
    field.setAttribute("aria-expanded", "true");
    look("");
  }

  async function look(query) {
    const turn = (asked += 1);
    const enough = query.length >= source.minimum;
    if (!enough) {
      fill(list, h("p", { class: "options-note" }, source.minimum === 1 ? "Type to search" : `Type ${source.minimum} letters to search`));
      return;
    }
    if (source.remote) fill(list, h("p", { class: "options-note", role: "status" }, "Searching…"));
    let groups;
    try {
      groups = await source.find(query);
    } catch (problem) {
      if (turn === asked) fill(list, h("p", { class: "options-note problem" }, `The bot did not answer: ${problem.message}`));
      return;
    }
    if (turn === asked) draw(groups);
  }

  function draw(groups) {
    let index = 0;
    const item = (option) => {
      const isPicked = picked.some((candidate) => candidate.value === option.value);
      const row = h("div", {
        class: "option",
        role: "option",
        id: `${listId}-${(index += 1)}`,
        "aria-selected": isPicked ? "true" : "false",
        "data-value": option.value,
        on: { pointerdown: (event) => event.preventDefault(), click: () => choose(option) },
      }, h("span", { class: "option-text" }, plain(option.text)), option.description ? h("small", {}, plain(option.description)) : null);
      row.option = option;
      return row;
    };
    const rows = groups.filter((group) => group.options.length > 0).map((group) => [
      group.label ? h("div", { class: "option-group" }, group.label) : null,
      group.options.map(item),
    ]);
    fill(list, rows.length > 0 ? rows : h("p", { class: "options-note" }, "No results"));
    active = -1;
    move(1);
  }

  function move(step) {
    const rows = [...list.querySelectorAll(".option")];
    if (rows.length === 0) return;
    rows[active]?.classList.remove("active");
    active = (active + step + rows.length) % rows.length;
    rows[active].classList.add("active");
    rows[active].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", rows[active].id);
  }

  function choose(option) {
    if (multiple) {
      toggle(option);
      return;
    }
    picked = [option];
    dirty = true;
    close?.(false);
  }

  function toggle(option) {
    const isPicked = picked.some((candidate) => candidate.value === option.value);
    if (!isPicked && element.max_selected_items && picked.length >= element.max_selected_items) return;
    picked = isPicked ? picked.filter((candidate) => candidate.value !== option.value) : [...picked, option];
    show();
    for (const row of list.querySelectorAll(".option")) {
      row.setAttribute("aria-selected", picked.some((candidate) => candidate.value === row.dataset.value) ? "true" : "false");
    }
    if (close) dirty = true;
    else changed(picked);
  }

  field.addEventListener("click", start);
  field.addEventListener("input", () => {
    start();
    clearTimeout(timer);
    timer = setTimeout(() => look(field.value.trim()), source.remote ? DELAY_MS : 0);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (close) move(event.key === "ArrowDown" ? 1 : -1);
      else start();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const row = close && list.querySelectorAll(".option")[active];
      if (row) choose(row.option);
      else start();
    } else if (event.key === "Tab") {
      close?.(false);
    } else if (event.key === "Backspace" && multiple && field.value === "" && picked.length > 0) {
      toggle(picked.at(-1));
    }
  });
  show();
  return box;
}

function sourceOf(element, fetch) {
  const kind = element.type.replace(/^multi_/, "");
  if (kind === "external_select") {
    return {
      remote: true,
      minimum: element.min_query_length ?? 3,
      find: async (query) => {
        const answer = await fetch(query);
        return groupsOf(answer.options, answer.option_groups);
      },
    };
  }
  const groups = {
    users_select: () => [{ options: directory.users.map((user) => own(user.id, user.name)) }],
    channels_select: () => [{ options: directory.channelsOf().map((channel) => own(channel.id, `#${channel.name}`)) }],
    conversations_select: () => [{ options: directory.channels.map((channel) => own(channel.id, channel.is_im ? directory.channelName(channel.id) : `#${channel.name}`)) }],
  }[kind]?.() ?? groupsOf(element.options, element.option_groups);
  return {
    remote: false,
    minimum: 0,
    find: async (query) => {
      const wanted = query.toLowerCase();
      return groups.map((group) => ({
        label: group.label,
        options: group.options.filter((option) => plain(option.text).toLowerCase().includes(wanted)),
      }));
    },
  };
}

function own(value, text) {
  return { value, text: { type: "plain_text", text } };
}

function groupsOf(options, groups) {
  if (groups && groups.length > 0) {
    return groups.map((group) => ({ label: plain(group.label), options: group.options ?? [] }));
  }
  return [{ options: options ?? [] }];
}
