// Tables and charts: rows of cells, and the numbers of a chart with a bar for each.

import { h } from "../dom.js";
import { plain } from "./entities.js";
import { richText } from "./richtext.js";

/** Draw a table or data_table block; the first row is its head. */
export function table(block, { now }) {
  const [head = [], ...rows] = block.rows ?? [];
  const settings = block.column_settings ?? [];
  const cell = (tag) => (value, column) => h(tag, {
    scope: tag === "th" ? "col" : null,
    class: [`align-${settings[column]?.align ?? (isNumber(value) ? "right" : "left")}`, settings[column]?.is_wrapped ? "wrapped" : ""].join(" ").trim(),
  }, content(value, now));
  return h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": plain(block.caption) || "Table" },
    h("table", { class: "block-table" },
      block.caption ? h("caption", {}, plain(block.caption)) : null,
      h("thead", {}, h("tr", {}, head.map(cell("th")))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))))));
}

/** Draw a data_visualization block as a table with a bar beside each number. */
export function chart(block) {
  const { chart: drawing = {} } = block;
  const series = drawing.series ?? [{ name: "", data: (drawing.segments ?? []).map((segment) => ({ label: segment.label, value: segment.value })) }];
  const largest = Math.max(1, ...series.flatMap((one) => (one.data ?? []).map((point) => Math.abs(point.value ?? 0))));
  return h("figure", { class: "chart" },
    h("figcaption", {}, plain(block.title)),
    series.map((one) => h("table", {},
      one.name ? h("caption", {}, one.name) : null,
      h("tbody", {}, (one.data ?? []).map((point) => h("tr", {},
        h("th", { scope: "row" }, point.label ?? point.category ?? ""),
        h("td", {}, h("meter", { min: "0", max: String(largest), value: String(Math.abs(point.value ?? 0)) }), ` ${point.value}`)))))));
}

function isNumber(cell) {
  return cell?.type === "raw_number";
}

function content(cell, now) {
  switch (cell?.type) {
    case "rich_text":
      return richText(cell, { now });
    case "raw_number":
      return String(cell.text ?? cell.value ?? "");
    default:
      return cell?.text ?? "";
  }
}
