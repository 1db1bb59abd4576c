/* Two charts: accuracy of every class, and of the mean, the rarest and the worst. */

import { svg } from "./dom.mjs";
import { sign } from "./intervals.mjs";
import { mark, stroke } from "./marks.mjs";
import { known, points, span } from "./words.mjs";

const TICKS = [0, 25, 50, 75, 100];
const MEASURES = {
  rarest: "rarest fifth of the classes", worst: "worst class", mean: "mean of the classes",
};
const LOST = { "text-anchor": "middle", class: "kdlib-lost" };

const text = (x, y, words, more = {}) => svg("text", { x, y, ...more }, words);

function drawing(width, height, label, ...children) {
  return svg("svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label,
  }, ...children);
}

/** How a number and its change are read aloud. */
function aloud(name, { level, change }) {
  const moved = change && known(change) ? `, change ${span(change)} points` : "";
  return `${name} ${level.mean.toFixed(0)} %${moved}`;
}

function describe(word, byMethod, methods) {
  return `${word}: ${methods.map((name) => aloud(name, byMethod[name])).join("; ")}`;
}

/** Accuracy by class, the most frequent on the left.
 *
 *  columns: [{ name, count }]. options: { width, methods, showSeeds, noun }. */
export function classChart(summary, columns, { width, methods, showSeeds, noun }) {
  const [left, top, bottom, height] = [30, 8, 46, 250];
  const y = (value) => top + (1 - value / 100) * (height - top - bottom);
  const step = (width - left) / columns.length;
  const gap = Math.min(14, (step * 0.72) / methods.length);
  const place = (column, method) =>
    left + step * (column + 0.5) + gap * (methods.indexOf(method) - (methods.length - 1) / 2);
  const grid = TICKS.flatMap((tick) => [
    svg("line", { x1: left, x2: width, y1: y(tick), y2: y(tick), class: "kdlib-grid" }),
    text(left - 5, y(tick) + 4, tick, { "text-anchor": "end" }),
  ]);
  const cells = columns.map(({ name, count }, column) => {
    const byMethod = summary.classes[column];
    const middle = left + step * (column + 0.5);
    return svg("g", {},
      svg("title", {}, describe(`${noun} ${name}, ${count} training examples`, byMethod, methods)),
      svg("rect", { x: middle - step / 2, y: top, width: step, height: height - top, opacity: 0 }),
      ...methods.flatMap((method) => {
        const x = place(column, method);
        const { level, seeds } = byMethod[method];
        return [
          ...(showSeeds ? seeds.map((one) => mark(method, x, y(one), 2, "kdlib-faint")) : []),
          known(level) ? stroke(method, x, y(level.low), x, y(level.high)) : null,
          mark(method, x, y(level.mean), step < 45 ? 3 : 4.5),
        ].filter(Boolean);
      }),
      ...lossArrow(byMethod, middle, y, step, methods),
      text(middle, height - 28, name, { "text-anchor": "middle", class: "kdlib-name" }),
      text(middle, height - 12, count, { "text-anchor": "middle" }));
  });
  const label = columns.map(({ name }, column) =>
    describe(`${noun} ${name}`, summary.classes[column], methods)).join(". ");
  return drawing(width, height, `Test accuracy by class in percent. ${label}.`, ...grid, ...cells);
}

/** What distillation takes from a class, where its paired interval lies below zero. */
function lossArrow(byMethod, middle, y, step, methods) {
  const { distilled } = byMethod;
  if (!methods.includes("distilled") || sign(distilled.change) >= 0) return [];
  const from = y(byMethod["one-hot"].level.mean);
  const to = y(distilled.level.mean);
  if (to - from < 6) return [];
  const x = middle - step * 0.44;
  return [
    svg("path", { d: `M${x},${from}V${to - 5}m-3.5,0h7l-3.5,6Z`, class: "kdlib-loss" }),
    step < 45 ? null : text(x, to + 15, `−${points(distilled.change.mean)}`, LOST),
  ].filter(Boolean);
}

/** Mean, rarest and worst classes: a row per method, a dot per seed, intervals over seeds. */
export function measureChart(summary, { width, methods, showSeeds }) {
  const [left, right, row, head] = [86, 14, 17, 24];
  const each = head + row * methods.length;
  const height = 3 * each + 24;
  const x = (value) => left + (value / 100) * (width - left - right);
  const grid = TICKS.flatMap((tick) => [
    svg("line", { x1: x(tick), x2: x(tick), y1: 6, y2: height - 18, class: "kdlib-grid" }),
    text(x(tick), height - 4, tick, { "text-anchor": "middle" }),
  ]);
  const groups = Object.entries(MEASURES).map(([measure, words], place) => {
    const byMethod = summary.measures[measure];
    const start = place * each + 8;
    return svg("g", {},
      svg("title", {}, describe(words, byMethod, methods)),
      text(0, start + 10, words, { class: "kdlib-name" }),
      ...methods.flatMap((method, i) => {
        const y = start + head + row * i;
        const { level, seeds } = byMethod[method];
        return [
          text(left - 8, y + 4, method, { "text-anchor": "end" }),
          ...(showSeeds ? seeds.map((one) => mark(method, x(one), y, 2.2, "kdlib-faint")) : []),
          known(level) ? stroke(method, x(level.low), y, x(level.high), y) : null,
          mark(method, x(level.mean), y, 4.5),
        ].filter(Boolean);
      }));
  });
  const label = Object.entries(MEASURES).map(([measure, words]) =>
    describe(words, summary.measures[measure], methods)).join(". ");
  return drawing(width, height, `Test accuracy in percent. ${label}.`, ...grid, ...groups);
}
