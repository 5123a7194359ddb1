// The dialog that asks before an action that wants to be confirmed.

import { h } from "../dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { plain } from "./entities.js";

/** Ask as Slack's confirm object says; answers true when the person goes on. */
export function confirmed(confirm, { now }) {
  return new Promise((resolve) => {
    const yes = h("button", {
      type: "submit",
      value: "yes",
      class: confirm.style === "danger" ? "button danger" : "button primary",
    }, plain(confirm.confirm));
    const dialog = h("dialog", { class: "confirm", "aria-labelledby": "confirm-title" },
      h("form", { method: "dialog" },
        h("h2", { id: "confirm-title" }, plain(confirm.title)),
        h("div", { class: "confirm-text" }, confirm.text?.type === "mrkdwn" ? mrkdwn(confirm.text.text, { now }) : plain(confirm.text)),
        h("footer", {},
          h("button", { type: "submit", value: "no", class: "button" }, plain(confirm.deny) || "Cancel"),
          yes)));
    dialog.addEventListener("close", () => {
      const answer = dialog.returnValue === "yes";
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}
