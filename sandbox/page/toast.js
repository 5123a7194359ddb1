// Short notes at the bottom of the page, read out by screen readers.

import { h } from "./dom.js";

/** Show *text* for some seconds; `kind` is "note" or "problem". */
export function toast(text, kind = "note") {
  const place = document.getElementById("toasts");
  const note = h("p", { class: `toast ${kind}` }, text);
  place.append(note);
  setTimeout(() => note.remove(), kind === "problem" ? 9000 : 4000);
}

/** Run *action*; if it fails, say why instead of failing silently. Answers its value or undefined. */
export async function attempt(action) {
  try {
    return await action();
  } catch (problem) {
    if (problem.name === "AbortError") return undefined;
    toast(problem.message, "problem");
    return undefined;
  }
}
