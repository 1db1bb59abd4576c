/* One colour and one shape a method, as in kdbook.charts.style; colours lie in the style sheet. */

import { html, svg } from "./dom.mjs";
import { NAMES } from "./words.mjs";

const PATHS = {
  "one-hot": (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`,
  distilled: (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}Z`,
  AdaAlpha: (r) => `M0,${-1.2 * r}L${1.15 * r},${0.9 * r}H${-1.15 * r}Z`,
  robust: (r) => `M0,${-1.35 * r}L${1.35 * r},0L0,${1.35 * r}L${-1.35 * r},0Z`,
  teacher: (r) => `M${-r},${-r}L${r},${r}M${r},${-r}L${-r},${r}`,
};

/** The mark of a method around (x, y). */
export function mark(method, x, y, radius, more = "") {
  return svg("path", {
    d: PATHS[method](radius), transform: `translate(${x.toFixed(1)},${y.toFixed(1)})`,
    class: `kdlib-mark kdlib-${method} ${more}`,
  });
}

/** A line in the colour of a method. */
export function stroke(method, x1, y1, x2, y2) {
  return svg("line", { x1, y1, x2, y2, class: `kdlib-stroke kdlib-${method}` });
}

/** What the marks stand for. */
export function legend(methods) {
  return html("ul", { class: "kdlib-legend" }, ...methods.map((method) =>
    html("li", {},
      svg("svg", { width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true" },
        mark(method, 0, 0, 5)),
      NAMES[method])));
}
