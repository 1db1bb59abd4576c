/* All that the charts show, as numbers. */

import { html } from "./dom.mjs";
import { known, span } from "./words.mjs";

const HEADS = { rarest: "rarest fifth", worst: "worst class", mean: "mean" };

function cell({ level, change }) {
  const moved = change && known(change) ? ` (${span(change)})` : "";
  return html("td", {}, `${level.mean.toFixed(1)}${moved}`);
}

/** A row per measure and class, a column per method. */
export function numbersTable(summary, columns, methods, noun) {
  const row = (head, byMethod) => html("tr", {},
    html("th", { scope: "row" }, head), ...methods.map((name) => cell(byMethod[name])));
  const measures = Object.entries(HEADS).map(([name, head]) => row(head, summary.measures[name]));
  const classes = columns.map(({ name, count }, k) =>
    row(`${noun} ${name} (${count} examples)`, summary.classes[k]));
  return html("table", {},
    html("caption", {}, `Test accuracy in percent, mean of ${summary.seeds} seeds; in brackets the `
      + "95 % interval of the paired change against the one-hot student, in points."),
    html("thead", {}, html("tr", {}, ...["accuracy", ...methods].map((name) =>
      html("th", { scope: "col" }, name)))),
    html("tbody", {}, ...measures, ...classes));
}
