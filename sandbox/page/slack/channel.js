// The messages of one channel: kept in step with the sandbox, scrolled like Slack.

import { get } from "../api.js";
import { directory } from "../directory.js";
import { fill, h } from "../dom.js";
import { follow } from "../live.js";
import { session } from "../session.js";
import { acceptDrops, composer } from "./composer.js";
import { isFor, showMessages } from "./message.js";

const SHOWN = 150;
const NEAR_PX = 80;

/** The pane of a channel. `openThread(ts)` is asked when a person opens one. */
export function channelPane({ openThread, loaded }) {
  let channel = null;
  let all = [];
  let shown = SHOWN;

  const earlier = h("button", { type: "button", class: "link-button earlier", hidden: true, on: { click: () => {
    shown += SHOWN;
    const fromBottom = scroller.scrollHeight - scroller.scrollTop;
    show();
    scroller.scrollTop = scroller.scrollHeight - fromBottom;
  } } }, "Show earlier messages");
  const empty = h("div", { class: "empty", hidden: true });
  const list = h("div", { class: "message-list", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": "Messages" });
  const scroller = h("div", { class: "messages", tabindex: "0", role: "region", "aria-label": "Messages of the channel" }, earlier, empty, list);
  const write = composer({
    target: () => ({ channel, thread: null }),
    placeholder: "Type /drip help, or a message",
    label: "Message or command",
  });
  const element = h("div", { class: "channel" }, scroller, write.element);
  acceptDrops(element, write.take);

  function show({ keepPlace = true } = {}) {
    const mine = all.filter((message) => isFor(message, session.user));
    const top = mine.filter((message) => !message.thread_ts || message.thread_ts === message.ts);
    const replies = new Map();
    for (const message of mine) {
      if (!message.thread_ts || message.thread_ts === message.ts || message.ephemeral_to) continue;
      const known = replies.get(message.thread_ts) ?? { count: 0 };
      replies.set(message.thread_ts, { count: known.count + 1, last: message.ts });
    }
    const near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    earlier.hidden = top.length <= shown;
    showMessages(list, top.slice(-shown), { replies, openThread });
    drawEmpty(top.length === 0);
    if (near || !keepPlace) scroller.scrollTop = scroller.scrollHeight;
  }

  function drawEmpty(isEmpty) {
    empty.hidden = !isEmpty;
    if (!isEmpty) return;
    const offer = (text) => h("button", { type: "button", class: "try", on: { click: () => write.insert(text) } }, h("code", {}, text));
    const direct = directory.channels.find((candidate) => candidate.id === channel)?.is_im;
    fill(empty,
      h("h3", {}, direct ? "This is your conversation with Dripline" : `Nothing in #${directory.channelName(channel)} yet`),
      h("p", {}, "Dripline listens to one command. Type ", h("code", {}, "/drip help"), " to see what it can do, or begin with one of these:"),
      h("div", { class: "tries" },
        offer("/drip help"),
        offer("/drip status"),
        offer("/drip campaign new \"Welcome\" trigger=tag:lead stop_on_reply=yes"),
        offer("/drip broadcast new \"Hello\" to=tag:demo template=followup")),
      h("p", { class: "muted" }, "To import contacts, drop a CSV file here with the text ", h("code", {}, "import"), ". Then jump ahead with the clock above and watch the phones."));
  }

  async function load() {
    if (channel === null) return;
    const wanted = channel;
    const { messages } = await get("slack/messages", { channel });
    if (wanted !== channel) return;
    const first = list.dataset.channel !== channel;
    list.dataset.channel = channel;
    all = messages;
    // A list that is read aloud must not read the whole channel when it is opened.
    list.setAttribute("aria-live", first ? "off" : "polite");
    show({ keepPlace: !first });
    loaded?.(channel, all);
  }

  const refresh = follow((topic) => topic === "slack", load);

  return {
    element,
    refresh,
    focus: write.focus,
    insert: write.insert,
    show(id) {
      if (channel === id) return refresh();
      channel = id;
      all = [];
      shown = SHOWN;
      fill(list);
      empty.hidden = true;
      return refresh();
    },
    redraw: () => show(),
    get channel() {
      return channel;
    },
  };
}
