/* The digits as pictures: dark ink on white paper, in both modes. */

import { html } from "./dom.mjs";

const SIDE = 8;
const drawn = new Map();

/** The pixels of one image as numbers from 0 to `top`. */
export function pixelsOf(file, split, row) {
  const { pixelsEach, first } = file;
  const text = file[split].pixels.slice(row * pixelsEach, (row + 1) * pixelsEach);
  return Array.from(text, (letter) => letter.charCodeAt(0) - first.charCodeAt(0));
}

function draw(pixels, top) {
  const canvas = html("canvas", { width: SIDE, height: SIDE });
  const context = canvas.getContext("2d");
  const data = context.createImageData(SIDE, SIDE);
  pixels.forEach((ink, i) => data.data.set([...Array(3).fill(255 * (1 - ink / top)), 255], 4 * i));
  context.putImageData(data, 0, 0);
  return canvas.toDataURL();
}

/** An `<img>` of a row of a split. */
export function picture(file, split, row, alt) {
  const key = `${split} ${row}`;
  if (!drawn.has(key)) drawn.set(key, draw(pixelsOf(file, split, row), file.top));
  return html("img", { src: drawn.get(key), width: 64, height: 64, alt, class: "kdlib-picture" });
}

/** The rows among `rows` whose training images are most like the test image, pixel by pixel. */
export function nearest(file, testRow, rows, most) {
  const wanted = pixelsOf(file, "test", testRow);
  const apart = (row) =>
    pixelsOf(file, "train", row).reduce((sum, ink, i) => sum + (ink - wanted[i]) ** 2, 0);
  return rows.map((row) => [apart(row), row]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .slice(0, most).map(([, row]) => row);
}
