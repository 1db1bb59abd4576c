/* Who is right about each test image, and which answers changed sides.
 *
 * The record is that of kdbook.explorables.changed_sides: a string of guesses per network and seed. */

export const METHODS = ["one-hot", "distilled", "AdaAlpha"];

const nameOf = (method, temperature) =>
  method === "teacher" || method === "one-hot" ? method : `${method} ${temperature}`;

/** What each network says of one class's images.
 *
 *  labels: a string with a digit per test image. Returns { label, seeds, rows, said } where
 *  said[method][seed] has a guess per image. */
export function answersOf(record, labels, { label, temperature }) {
  const rows = [...labels].flatMap((one, row) => (Number(one) === label ? [row] : []));
  const said = Object.fromEntries(["teacher", ...METHODS].map((method) => [
    method,
    record.guesses[nameOf(method, temperature)].map((line) => rows.map((row) => Number(line[row]))),
  ]));
  return { label, seeds: record.seeds.length, rows, said };
}

/** An image's seeds in which `holds` of (right by method, seed) is true. */
function seedsWhere({ label, seeds, said }, place, holds) {
  return Array.from({ length: seeds }, (_, seed) => seed).filter((seed) => holds(
    Object.fromEntries(Object.entries(said).map(([name, by]) => [name, by[seed][place] === label]))));
}

const lost = (right) => right["one-hot"] && !right.distilled;
const gained = (right) => !right["one-hot"] && right.distilled;

/** Per image: { place, row, right: seeds by method, lost, gained, back: seeds }. */
export function imagesOf(answers) {
  return answers.rows.map((row, place) => ({
    place, row,
    right: Object.fromEntries(["teacher", ...METHODS].map((method) =>
      [method, seedsWhere(answers, place, (right) => right[method]).length])),
    lost: seedsWhere(answers, place, lost),
    gained: seedsWhere(answers, place, gained),
    back: seedsWhere(answers, place, (right) => lost(right) && right.AdaAlpha),
    known: seedsWhere(answers, place, (right) => lost(right) && right.teacher),
  }));
}

/** Sums over the images; `same`: lost where the teacher gives the same wrong answer. */
export function totals({ seeds, said }, images) {
  const sum = (name) => images.reduce((all, one) => all + one[name].length, 0);
  const same = images.reduce((all, { place, lost: where }) =>
    all + where.filter((seed) => said.teacher[seed][place] === said.distilled[seed][place]).length, 0);
  const right = Object.fromEntries(METHODS.map((method) =>
    [method, images.reduce((all, one) => all + one.right[method], 0)]));
  return {
    lost: sum("lost"), gained: sum("gained"), back: sum("back"), known: sum("known"), same, right,
    asked: seeds * images.length,
  };
}

/** Accuracy of each seed in percent: { method: [by seed] }. */
export function accuracyBySeed({ label, said }) {
  const share = (guesses) => (100 * guesses.filter((one) => one === label).length) / guesses.length;
  return Object.fromEntries(METHODS.map((method) => [method, said[method].map(share)]));
}

/** The most frequent wrong answer, { guess, count }, or null; of equals the smallest. */
export function wrongAnswer({ label, said }, place, method) {
  const counts = Array(10).fill(0);
  for (const guesses of said[method]) counts[guesses[place]] += 1;
  counts[label] = 0;
  const count = Math.max(...counts);
  return count ? { guess: counts.indexOf(count), count } : null;
}

/** How much each image belongs into a strip: seeds, net of those that went the other way. */
export const STRIPS = {
  lost: ({ lost: these, gained: others }) => these.length - others.length,
  back: ({ back }) => back.length,
  gained: ({ lost: others, gained: these }) => these.length - others.length,
};

/** The images of a strip, best first; `sureness(image)` decides where `sort` is "sure". */
export function ranked(images, strip, sort, sureness) {
  const score = sort === "sure" ? sureness : STRIPS[strip];
  return images.filter((one) => STRIPS[strip](one) > 0)
    .sort((a, b) => score(b) - score(a) || a.row - b.row);
}
