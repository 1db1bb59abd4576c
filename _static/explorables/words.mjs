/* Sentences that follow from the numbers by rule: a change is clear where its paired 95 % interval
 * leaves out zero. */

import { sign } from "./intervals.mjs";

export const NAMES = {
  teacher: "teacher",
  "one-hot": "one-hot student",
  distilled: "distilled student",
  AdaAlpha: "AdaAlpha student",
  robust: "robust student",
};
const MEASURE_NAMES = { mean: "the mean", worst: "the worst class" };

export const points = (value) => Math.abs(value).toFixed(1);
const signed = (value) => `${value < 0 ? "−" : "+"}${points(value)}`;
export const span = ({ low, high }) => `${signed(low)} to ${signed(high)}`;
export const known = ({ low }) => !Number.isNaN(low);

/** "loses 17.6 points (−24.1 to −11.0)", or "no clear change (…)". */
export function changeSaid(change) {
  if (!known(change)) return `changes by ${signed(change.mean)} points (too few seeds for an interval)`;
  const verdict = sign(change);
  if (!verdict) return `shows no clear change (${span(change)} points)`;
  return `${verdict < 0 ? "loses" : "gains"} ${points(change.mean)} points (${span(change)})`;
}

/** "the two rarest digits", "the triangles". */
export function rarestSaid(columns, count) {
  const rare = columns.slice(-count).map(({ name }) => name);
  return `the rarest ${rare.length > 1 ? "classes" : "class"}, ${rare.join(" and ")}`;
}

/** The headline: what distillation does to the rarest classes. */
export function headline(summary, rarest) {
  const { distilled, AdaAlpha } = summary.measures.rarest;
  const lost = sign(distilled.change);
  if (lost > 0) return `Distillation helps ${rarest}.`;
  if (lost === 0) return `Distillation shows no clear effect on ${rarest}.`;
  const regained = AdaAlpha && sign(AdaAlpha.change) >= 0;
  const second = regained ? " Trusting the teacher by class avoids it." : "";
  return `Distillation costs ${rarest}: ${points(distilled.change.mean)} points.${second}`;
}

/** One sentence a method: rarest classes first, then the mean. */
export function sentences(summary, rarest, methods) {
  const { rarest: rare, mean } = summary.measures;
  return methods.filter((name) => rare[name]?.change).map((name) =>
    `The ${NAMES[name]} ${changeSaid(rare[name].change)} on ${rarest}, `
    + `and ${changeSaid(mean[name].change)} in ${MEASURE_NAMES.mean}.`);
}
