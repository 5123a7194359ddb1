// The app's Home tab.

import { fill, h } from "../dom.js";
import { session } from "../session.js";
import { click, options } from "./act.js";
import { drawBlocks } from "./blocks.js";
import { Inputs } from "./inputs.js";

/** The tab; `show(view)` draws a view or, for null, says how it comes. */
export function homeTab({ changed }) {
  const element = h("div", { class: "home", tabindex: "0", role: "region", "aria-label": "Home tab" });
  let inputs = new Inputs();
  let stamp = null;
  return {
    element,
    show(view) {
      const mark = JSON.stringify([view, session.user]);
      if (mark === stamp) return;
      stamp = mark;
      if (!view) {
        inputs = new Inputs();
        fill(element, h("div", { class: "empty" }, h("h3", {}, "Home is still empty"), h("p", {}, "Dripline draws it when you open it. If nothing comes, look at Health above.")));
        return;
      }
      const place = { view_id: view.id };
      fill(element, drawBlocks(view.blocks, {
        now: session.now,
        inputs,
        act: (target, block, value) => click(target, block, value, place).then(changed),
        fetch: (target, query) => options(target, query, place),
      }));
    },
  };
}
