/* The training images themselves, a stack under each class. */

import { html } from "./dom.mjs";

const ACROSS = 5; // images side by side in a stack
const DOWN = 18;

/** The outline of the first `count` images of a stack, for CSS. */
function outline(count) {
  const rows = Math.floor(count / ACROSS);
  const x = `${(100 * (count % ACROSS)) / ACROSS}%`;
  const full = `${(100 * rows) / DOWN}%`;
  const last = `${(100 * Math.ceil(count / ACROSS)) / DOWN}%`;
  return `polygon(0 0, 100% 0, 100% ${full}, ${x} ${full}, ${x} ${last}, 0 ${last})`;
}

/** columns: [{ name, count }]. The pictures are in one file, a stack beside the other. */
export function tailOfImages(columns) {
  const said = columns.map(({ name, count }) => `${count} of ${name}`).join(", ");
  const stacks = columns.map(({ count }, k) => {
    const place = `${(100 * k) / (columns.length - 1)}% 0`;
    return html("div", { style: `mask-position: ${place}; clip-path: ${outline(count)}` });
  });
  return html("div", {
    class: "kdlib-tail", role: "img", "aria-label": `The training images of one seed: ${said}.`,
  }, ...stacks);
}
