/* Points of three classes in a square of 100 by 100, which a reader may drag and add to. */

import { longTail, splitDev } from "./digits.mjs";
import { gauss, generator } from "./random.mjs";

export const SIDE = 100;
const HEAD = 40; // training points of the most frequent class
const HELD_OUT = { validation: 20, test: 200 }; // a class
/* Where the classes lie: centres and spreads. The rare one lies between the two others. */
const CLOUDS = [
  { name: "circles", at: [32, 60], spread: 15 },
  { name: "squares", at: [70, 52], spread: 12 },
  { name: "triangles", at: [52, 28], spread: 10 },
];
export const PLANE_CLASSES = CLOUDS.map(({ name }) => name);

const within = (value) => Math.round(Math.min(SIDE, Math.max(0, value)));

function cloud(label, count, seed) {
  const { at, spread } = CLOUDS[label];
  const uniform = generator(seed + 17 * label);
  return Array.from({ length: count }, () => ({
    at: at.map((centre) => within(centre + spread * gauss(uniform))), label,
  }));
}

/** The points at a ratio, with a reader's changes. Each has an id that survives a new ratio.
 *
 *  edits: { moved: { id: [x, y] }, added: [[x, y, label], ...] } */
export function pointsOf(ratio, edits) {
  const counts = longTail(HEAD, CLOUDS.length, ratio);
  const drawn = CLOUDS.flatMap((_, label) =>
    cloud(label, HEAD, 1).slice(0, counts[label]).map((point, i) => {
      const id = `${label}.${i}`;
      return { id, label, at: edits.moved[id] ?? point.at };
    }));
  const added = edits.added.map(([x, y, label], i) => ({ id: `+${i}`, label, at: [x, y] }));
  return [...drawn, ...added];
}

/** What the network sees of a place: both coordinates from -1.5 to 1.5. */
export const seen = ([x, y]) => Float32Array.of((3 * x) / SIDE - 1.5, (3 * y) / SIDE - 1.5);

const example = ({ at, label }) => ({ x: seen(at), label });

/** The task with a reader's points; seeds differ in first weights and order alone. */
export function planeTask(edits) {
  const clouds = (count, seed) => CLOUDS.flatMap((_, label) => cloud(label, count, seed).map(example));
  return {
    key: JSON.stringify(edits),
    classes: CLOUDS.length,
    hidden: 16,
    names: PLANE_CLASSES,
    validation: clouds(HELD_OUT.validation, 1000),
    test: clouds(HELD_OUT.test, 2000),
    draw(seed, ratio) {
      const points = pointsOf(ratio, edits).map(example);
      const byClass = CLOUDS.map((_, label) => points.filter((one) => one.label === label));
      return splitDev(byClass);
    },
  };
}

/** The class that a network sees at each place of a grid, row by row from the top. */
export function regions(network, cells) {
  const found = new Uint8Array(cells * cells);
  for (let row = 0, at = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const place = [column, cells - 1 - row].map((one) => ((one + 0.5) * SIDE) / cells);
      found[at++] = network.guess(seen(place));
    }
  }
  return found;
}
