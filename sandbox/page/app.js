// The page: clock and panels above, Slack on the left, phones on the right.

import { clockBar } from "./clock.js";
import { directory } from "./directory.js";
import { fill, h } from "./dom.js";
import { healthPanel } from "./health.js";
import { follow, listen, watchConnection } from "./live.js";
import { moodsPanel } from "./moods.js";
import { pocket } from "./phones/pocket.js";
import { session } from "./session.js";
import { workspace } from "./slack/workspace.js";
import { themeButton } from "./theme.js";

const RETRY_MS = 1000;

/** Load what every part needs, however long the sandbox takes to start. */
async function ready() {
  for (;;) {
    try {
      await Promise.all([directory.load(), session.readClock()]);
      return;
    } catch (problem) {
      fill(document.getElementById("slack"), h("div", { class: "empty" }, h("h3", {}, "Waiting for the sandbox"), h("p", {}, problem.message)));
      await new Promise((resume) => setTimeout(resume, RETRY_MS));
    }
  }
}

async function start() {
  const theme = themeButton();
  await ready();
  if (!directory.user(session.user)) session.become(directory.users[0].id);

  const moods = moodsPanel();
  const health = healthPanel();
  const lost = h("p", { class: "lost", role: "alert", hidden: true }, "The sandbox does not answer; trying again…");
  watchConnection((isLost) => {
    lost.hidden = !isLost;
  });
  fill(document.getElementById("bar"),
    h("h1", { class: "brand" }, h("img", { src: "icon.svg", alt: "" }), h("span", {}, "Dripline ", h("small", {}, "sandbox"))),
    clockBar(), lost,
    h("div", { class: "bar-buttons" }, moods.button, health.button, theme));
  document.body.append(moods.element, health.element);

  workspace(document.getElementById("slack"));
  pocket(document.getElementById("phones"));
  follow((topic) => topic.startsWith("overview") || topic.startsWith("templates") || topic.startsWith("numbers"), () => directory.load(), { pause: 500 });
  listen();
}

start();
