/* scikit-learn's digits with a long tail, drawn anew for each seed. */

import { generator, shuffle } from "./random.mjs";

const DEV = 20; // examples per class that judge the teacher, or half of a class that has fewer than 40

/** Class sizes that fall exponentially from `head` to `head / ratio`. */
export function longTail(head, classes, ratio) {
  const last = Math.max(classes - 1, 1);
  return Array.from({ length: classes }, (_, k) =>
    Math.max(1, Math.floor(head * ratio ** (-k / last) + 1e-9)));
}

/** Every class's examples split into those that judge the initial teacher and the rest. */
export function splitDev(byClass) {
  const counts = byClass.map((rows) => Math.min(DEV, Math.floor(rows.length / 2)));
  return {
    train: byClass.flat(),
    dev: byClass.flatMap((rows, k) => rows.slice(0, counts[k])),
    rest: byClass.flatMap((rows, k) => rows.slice(counts[k])),
  };
}

/** One split of the file: examples { x, label }, pixels from -0.5 to 0.5. */
function examples({ labels, pixels }, { pixelsEach, top, first }) {
  return [...labels].map((label, i) => {
    const text = pixels.slice(i * pixelsEach, (i + 1) * pixelsEach);
    const x = Float32Array.from(text, (c) => (c.charCodeAt(0) - first.charCodeAt(0)) / top - 0.5);
    return { x, label: Number(label) };
  });
}

/** The task: what is trained on and tested with.
 *
 *  file: as `kdbook.explorables.digits` writes it. */
export function digitsTask(file) {
  const pool = examples(file.train, file);
  const validation = examples(file.validation, file);
  const test = examples(file.test, file);
  const classes = 10;
  const byClass = Array.from({ length: classes }, (_, k) => pool.filter((one) => one.label === k));
  return {
    classes,
    hidden: 32,
    names: [...Array(classes).keys()].map(String),
    validation,
    test,
    draw(seed, ratio) {
      const counts = longTail(byClass[0].length, classes, ratio);
      const shuffled = byClass.map((rows, k) => shuffle([...rows], generator(1000 + 100 * seed + k)));
      return splitDev(shuffled.map((rows, k) => rows.slice(0, counts[k])));
    },
  };
}
