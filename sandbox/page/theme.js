// Light or dark: as the system says until a person chooses.

import { h, icon, ICONS } from "./dom.js";

const KEPT = "dripline-sandbox-theme";

/** A button that switches between light and dark and remembers it. */
export function themeButton() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const kept = localStorage.getItem(KEPT);
    document.documentElement.dataset.theme = kept ?? (system.matches ? "dark" : "light");
  };
  system.addEventListener("change", apply);
  apply();
  return h("button", { type: "button", class: "button bar-button", "aria-label": "Light or dark", title: "Light or dark", on: { click: () => {
    localStorage.setItem(KEPT, document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  } } }, icon(ICONS.theme));
}
