/* What the strips say, by rule from the counts. */

import { ofDifferences } from "./intervals.mjs";
import { METHODS, accuracyBySeed, wrongAnswer } from "./sides-count.mjs";
import { changeSaid } from "./words.mjs";

const answers = (count) => `${count || "no"} right answer${count === 1 ? "" : "s"}`;

/** What distillation does to the class, and what its teacher said of it. */
export function headline(label, { lost, gained, known }) {
  const start = `On ${label}s distillation loses ${answers(lost)} and gains ${gained || "none"}`;
  return lost ? `${start}; on ${known} of the ${lost} lost ones its own teacher was right.` : `${start}.`;
}

/** Sentences on the counts behind the headline. */
export function sentences(said, counts, temperature) {
  const by = accuracyBySeed(said);
  const change = (method) => changeSaid(ofDifferences(by[method].map((one, i) => one - by["one-hot"][i])));
  const right = METHODS.map((method) => `${counts.right[method]} of the ${method} students'`).join(", ");
  const found = [
    `Of ${counts.asked} answers (${said.rows.length} test images of a ${said.label}, ${said.seeds} seeds) `
      + `${right} are right.`,
    `At T = ${temperature}, against the one-hot student, the distilled student ${change("distilled")}; `
      + `the AdaAlpha student ${change("AdaAlpha")}.`,
  ];
  if (counts.lost) {
    found.push(`Of the ${counts.lost} lost answers, AdaAlpha has ${counts.back} right; in ${counts.same} the `
      + "teacher makes the very mistake that its student makes.");
  }
  return found;
}

/** "as 4 in 8", short for a tile. */
export function wrongSaid(said, place, method) {
  const wrong = wrongAnswer(said, place, method);
  return wrong ? `as ${wrong.guess} in ${wrong.count}` : "always right";
}

/** "a 9, taken for 4 in 8 of 10 seeds". */
function tileSaid(said, place, method) {
  const wrong = wrongAnswer(said, place, method);
  if (!wrong) return `a ${said.label}, right in all ${said.seeds} seeds`;
  return `a ${said.label}, taken for ${wrong.guess} in ${wrong.count} of ${said.seeds} seeds`;
}

/** The counts of a tile: "9 → 1 → 8". */
export const countsSaid = (image) => METHODS.map((method) => image.right[method]).join(" → ");

/** All of a tile, for those who do not see it. */
export function altSaid(said, image, method) {
  const right = METHODS.map((name) => `${name} right in ${image.right[name]}`).join(", ");
  return `${tileSaid(said, image.place, method)}; of ${said.seeds} seeds ${right}`;
}

/** What the networks of one seed answer. */
export function seedSaid(said, place, seed, sure) {
  const each = METHODS.map((method) => `${method} ${said.said[method][seed][place]}`).join(", ");
  return `Seed ${seed}: the teacher says ${said.said.teacher[seed][place]} (${sure} %); the students: ${each}.`;
}
