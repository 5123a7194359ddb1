// Templates that wait for the platform's reviewers, who are whoever sits at this page.

import { post } from "./api.js";
import { h } from "./dom.js";
import { attempt } from "./toast.js";

// The rows are drawn anew whenever something happens; what was chosen stays.
const chosen = new Map();
const REASONS = ["INVALID_FORMAT", "PROMOTIONAL", "TAG_CONTENT_MISMATCH", "ABUSIVE_CONTENT", "SCAM"];

/** A row for each of *templates* that is pending; `decided()` after a decision. */
export function reviewRows(templates, decided) {
  const pending = templates.filter((template) => template.status === "PENDING");
  if (pending.length === 0) return h("p", { class: "muted" }, "No template waits for a review. Submit one from Slack.");
  return pending.map((template) => row(template, decided));
}

function row(template, decided) {
  const named = `${template.name} (${template.language})`;
  const reason = h("select", { class: "field", "aria-label": `Why ${named} is rejected`, "data-focus": `review-${named}`, on: { change: () => chosen.set(named, reason.value) } },
    REASONS.map((value) => h("option", { value, selected: value === (chosen.get(named) ?? REASONS[0]) }, value)));

  function decide(status, why) {
    return attempt(async () => {
      await post("whatsapp/templates", { name: template.name, language: template.language, status, reason: why });
      chosen.delete(named);
      await decided();
    });
  }

  return h("div", { class: "mood-error" },
    h("span", {}, named),
    h("button", { type: "button", class: "button small", "aria-label": `Approve ${named}`, on: { click: () => decide("APPROVED", null) } }, "Approve"),
    reason,
    h("button", { type: "button", class: "link-button", "aria-label": `Reject ${named}`, on: { click: () => decide("REJECTED", reason.value) } }, "reject"));
}
