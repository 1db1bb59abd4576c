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

/** "the rarest digits, 8 and 9"; nouns: [one, several]. */
export function rarestSaid(columns, count, nouns) {
  const rare = columns.slice(-count).map(({ name }) => name);
  return `the rarest ${nouns[rare.length > 1 ? 1 : 0]}, ${rare.join(" and ")}`;
}

/** The headline: what distillation does to the rarest classes. */
export function headline(summary, rarest) {
  const { distilled, AdaAlpha } = summary.measures.rarest;
  const moved = sign(distilled.change);
  const size = `${points(distilled.change.mean)} points`;
  if (moved > 0) return `Distillation gives ${rarest}, ${size}.`;
  if (moved === 0) return `Distillation shows no clear effect on ${rarest}.`;
  const avoids = sign(AdaAlpha.change) >= 0;
  return `Distillation costs ${rarest}, ${size}.${avoids ? " Trust by class avoids it." : ""}`;
}

/** Two sentences, on the rarest classes and on the mean: each method against the one-hot student. */
export function sentences(summary, rarest, methods) {
  const say = (where, measure) => {
    const taught = methods.filter((name) => summary.measures[measure][name].change);
    const said = taught.map((name) =>
      `the ${NAMES[name]} ${changeSaid(summary.measures[measure][name].change)}`);
    return `${where}, against the one-hot student: ${said.join("; ")}.`;
  };
  return [say(`On ${rarest}`, "rarest"), say("In the mean of the classes", "mean")];
}
