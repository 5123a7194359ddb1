// The Slack half of the page: sidebar, channel, thread, Home and modals together.

import { get } from "../api.js";
import { directory } from "../directory.js";
import { fill, h } from "../dom.js";
import { follow } from "../live.js";
import { session } from "../session.js";
import { openHome, views } from "./act.js";
import { channelPane } from "./channel.js";
import { homeTab } from "./home.js";
import { isFor } from "./message.js";
import { modalLayer } from "./modal.js";
import { sidebar } from "./sidebar.js";
import { threadPane } from "./thread.js";

const KEPT = "dripline-sandbox-channel";

/** Build Slack into *root*. Answers `{insert}`, which puts text into the composer. */
export function workspace(root) {
  let tab = "messages";
  const title = h("h2", { class: "channel-title" });
  const about = h("p", { class: "channel-about" });
  const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Dripline" });
  const side = sidebar({ go: (channel) => open(channel) });
  const thread = threadPane({ closed: () => channel.focus() });
  const channel = channelPane({ openThread: (ts) => thread.open(channel.channel, ts), loaded: (id, messages) => seen(id, messages) });
  const home = homeTab({ changed: () => readViews() });
  const head = h("header", { class: "pane-head channel-head" }, h("div", {}, title, about), tabs);
  // Where the thread lies over the channel, reaching for the channel puts the thread away.
  const middle = h("div", { class: "middle", on: { pointerdown: () => {
    if (getComputedStyle(thread.element).position === "absolute") thread.close();
  } } }, head, channel.element, home.element);
  const content = h("div", { class: "slack-content" }, side.element, middle, thread.element);
  const modals = modalLayer({
    changed: () => readViews(),
    covered: (covered) => {
      content.inert = covered;
    },
  });
  fill(root, content, modals.element);

  function open(id, { keepTab = false } = {}) {
    localStorage.setItem(KEPT, id);
    thread.close();
    if (!keepTab) tab = "messages";
    side.show(id);
    drawHead(id);
    channel.show(id).then(() => channel.focus());
  }

  function drawHead(id) {
    const direct = directory.channels.find((candidate) => candidate.id === id)?.is_im ?? false;
    title.textContent = direct ? "Dripline" : `#${directory.channelName(id)}`;
    about.textContent = direct ? "App · only you and Dripline see this" : ABOUT[id] ?? "";
    if (!direct) tab = "messages";
    const button = (name, words) => h("button", {
      type: "button",
      role: "tab",
      "aria-selected": String(tab === name),
      on: { click: () => choose(name) },
    }, words);
    fill(tabs, direct ? [button("home", "Home"), button("messages", "Messages")] : null);
    channel.element.hidden = tab === "home";
    home.element.hidden = tab !== "home";
  }

  async function choose(name) {
    tab = name;
    drawHead(channel.channel);
    if (name !== "home") return;
    await readViews();
    await openHome();
    await readViews();
  }

  const readViews = follow((topic) => topic === "views", async () => {
    const user = session.user;
    const { home: view, modals: stack } = await views();
    if (user !== session.user) return;
    modals.show(stack ?? []);
    home.show(view ?? null);
  });

  // What is new elsewhere is marked; the newest message known of each channel says so.
  const newest = new Map();
  function seen(id, messages) {
    newest.set(id, messages.at(-1)?.ts ?? "0");
  }
  follow((topic) => topic === "slack", async () => {
    const direct = directory.directMessage(session.user);
    for (const other of [...directory.channelsOf(), ...(direct ? [direct] : [])]) {
      if (other.id === channel.channel) continue;
      const { messages } = await get("slack/messages", { channel: other.id, after: newest.get(other.id) ?? null });
      const fresh = messages.filter((message) => isFor(message, session.user) && message.user !== session.user && message.ts > (newest.get(other.id) ?? "0"));
      if (newest.has(other.id) && fresh.length > 0) side.markUnread(other.id);
      seen(other.id, messages.length > 0 ? messages : [{ ts: newest.get(other.id) ?? "0" }]);
    }
  }, { pause: 1000 });

  session.watch(() => {
    const current = directory.channels.find((candidate) => candidate.id === channel.channel);
    const direct = directory.directMessage(session.user);
    side.draw();
    if (current?.is_im && direct) open(direct.id, { keepTab: true });
    else channel.redraw();
    readViews();
  });

  const wanted = directory.channels.find((candidate) => candidate.id === localStorage.getItem(KEPT));
  const direct = directory.directMessage(session.user);
  open(wanted && (!wanted.is_im || wanted.user === session.user) ? wanted.id : (direct ?? directory.channels[0]).id);
  readViews();
  return {
    insert: (text) => {
      if (tab === "home") choose("messages");
      channel.insert(text);
    },
  };
}

const ABOUT = {
  C0ALERTS: "Live cards and alerts of campaigns",
  C0INBOX: "Replies of contacts",
};
