// The side pane with one thread.

import { get } from "../api.js";
import { directory } from "../directory.js";
import { fill, h, icon, ICONS } from "../dom.js";
import { follow } from "../live.js";
import { session } from "../session.js";
import { composer } from "./composer.js";
import { isFor, showMessages } from "./message.js";

/** The pane; hidden until `open(channel, ts)`. */
export function threadPane({ closed }) {
  let place = null;

  const where = h("small", {});
  const list = h("div", { class: "message-list", role: "log", "aria-live": "polite", "aria-label": "Thread" });
  const scroller = h("div", { class: "messages", tabindex: "0", role: "region", "aria-label": "Messages of the thread" }, list);
  const write = composer({
    target: () => ({ channel: place?.channel, thread: place?.ts ?? "" }),
    placeholder: "Reply…",
    label: "Reply in thread",
  });
  const element = h("aside", { class: "thread", "aria-label": "Thread", hidden: true, on: { keydown: (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  } } },
  h("header", { class: "pane-head" }, h("h2", {}, "Thread"), where,
    h("button", { type: "button", class: "icon-button", "aria-label": "Close thread", on: { click: () => close() } }, icon(ICONS.close))),
  scroller,
  write.element);

  async function load() {
    if (place === null) return;
    const wanted = place;
    const { messages } = await get("slack/messages", { channel: wanted.channel, thread_ts: wanted.ts });
    if (wanted !== place) return;
    const before = list.childElementCount;
    showMessages(list, messages.filter((message) => isFor(message, session.user)));
    if (list.childElementCount > before) scroller.scrollTop = scroller.scrollHeight;
  }

  const refresh = follow((topic) => topic === "slack", load);

  function close() {
    if (place === null) return;
    place = null;
    element.hidden = true;
    fill(list);
    closed();
  }

  return {
    element,
    close,
    refresh,
    async open(channel, ts) {
      place = { channel, ts };
      fill(list);
      where.textContent = directory.channels.find((candidate) => candidate.id === channel)?.is_im ? "direct message" : `#${directory.channelName(channel)}`;
      element.hidden = false;
      await refresh();
      write.focus();
      scroller.scrollTop = scroller.scrollHeight;
    },
  };
}
