// The left edge of Slack: who am I, the channels, the app.

import { directory } from "../directory.js";
import { fill, h, rememberFocus, restoreFocus } from "../dom.js";
import { session } from "../session.js";
import { avatar } from "./message.js";

/** The sidebar; `go(channel)` opens one. */
export function sidebar({ go }) {
  const who = h("div", { class: "who" });
  const places = h("nav", { class: "places", "aria-label": "Channels" });
  const element = h("div", { class: "sidebar" }, who, places);
  const unread = new Set();
  let current = null;

  function draw() {
    const focused = rememberFocus(element);
    const user = directory.user(session.user);
    const choice = h("select", { id: "who-am-i", "data-focus": "who", on: { change: () => session.become(choice.value) } },
      directory.users.map((one) => h("option", { value: one.id, selected: one.id === session.user }, one.name)));
    fill(who,
      h("p", { class: "workspace" }, directory.organization),
      h("label", { for: "who-am-i" }, "You are"),
      h("div", { class: "who-row" }, avatar(session.user), choice),
      h("p", { class: "role" }, roleText(user?.role)));
    const direct = directory.directMessage(session.user);
    fill(places,
      h("h2", {}, "Channels"),
      directory.channelsOf().map((channel) => place(channel, [h("span", { class: "hash" }, "#"), channel.name])),
      h("h2", {}, "Apps"),
      direct ? place(direct, [h("img", { class: "app-icon", src: "icon.svg", alt: "" }), "Dripline"]) : null);
    restoreFocus(element, focused);
  }

  function place(channel, label) {
    return h("button", {
      type: "button",
      class: `place${unread.has(channel.id) ? " unread" : ""}`,
      "aria-current": channel.id === current ? "page" : null,
      "data-channel": channel.id,
    "data-focus": channel.id,
      on: { click: () => go(channel.id) },
    }, label, unread.has(channel.id) ? h("span", { class: "dot", role: "img", "aria-label": "unread" }) : null);
  }

  return {
    element,
    draw,
    show(channel) {
      current = channel;
      unread.delete(channel);
      draw();
    },
    markUnread(channel) {
      if (channel === current || unread.has(channel)) return;
      unread.add(channel);
      draw();
    },
  };
}

function roleText(role) {
  return {
    owner: "Owner: may do everything.",
    supervisor: "Supervisor: may look, not change.",
    agent: "Agent: only holds conversations.",
  }[role] ?? "No role here: is told whom to ask.";
}
