/* From right answers to what is drawn and said: means over seeds with intervals, paired changes. */

import { mean, ofDifferences, ofPercents } from "./intervals.mjs";

export const MEASURES = ["mean", "rarest", "worst"];
export const BASE = "one-hot";

/** How many classes the rarest fifth has. */
export const rarestCount = (classes) => Math.max(1, Math.round(0.2 * classes));

/** The three measures of one seed; classes stand from the most to the least frequent. */
export function measuresOf(accuracies) {
  return {
    mean: mean(accuracies),
    rarest: mean(accuracies.slice(-rarestCount(accuracies.length))),
    worst: Math.min(...accuracies),
  };
}

/** Levels and paired changes of a number that each seed has for each method. */
function compared(bySeed) {
  const base = bySeed[BASE];
  return Object.fromEntries(Object.entries(bySeed).map(([method, values]) => {
    const change = method === BASE ? null : ofDifferences(values.map((one, i) => one - base[i]));
    return [method, { seeds: values, level: ofPercents(values), change }];
  }));
}

/** accuracies: { method: [[percent by class] by seed] }, seeds in one order for all methods.
 *
 *  Returns { classes: [by method], measures: { name: by method }, seeds }. */
export function summarise(accuracies) {
  const over = (read) => compared(Object.fromEntries(
    Object.entries(accuracies).map(([method, seeds]) => [method, seeds.map(read)])));
  const [first] = Object.values(accuracies);
  return {
    seeds: first.length,
    classes: first[0].map((_, k) => over((one) => one[k])),
    measures: Object.fromEntries(MEASURES.map((name) => [name, over((one) => measuresOf(one)[name])])),
  };
}
