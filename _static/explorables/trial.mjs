/* One seed of the experiment: two teachers and four students, and what each gets right. */

import {
  adaptiveMix, classErrors, exponentiatedGradient, mixedTarget, soften,
} from "./losses.mjs";
import { train } from "./network.mjs";

export const STUDENT_EPOCHS = 40;
export const METHODS = ["one-hot", "distilled", "AdaAlpha", "robust"];
const TEACHER_SEEDS = 1_000_000;
const INITIAL_TEACHER_SEEDS = 2_000_000;
const ROBUST = { step: 0.1, every: 4 }; // as kdlib's profile "quick"

const images = (examples) => examples.map((one) => one.x);
const labels = (examples) => examples.map((one) => one.label);
const constant = (value, length) => new Float64Array(length).fill(value);

/** Right answers by class on the test examples. */
export function countRight(network, { test, classes }) {
  const right = new Array(classes).fill(0);
  for (const { x, label } of test) if (network.guess(x) === label) right[label] += 1;
  return right;
}

/** Softened answers of a network, one row per example. */
function probabilities(network, examples, temperature) {
  return examples.map(({ x }) => soften(network.answer(x), temperature));
}

function targets(examples, rows, mix, classes) {
  return examples.map(({ label }, i) => mixedTarget(label, rows?.[i], mix, classes));
}

function oneHot(examples, classes) {
  return targets(examples, null, constant(0, classes), classes);
}

/** Moves the multipliers of the robust student while it trains. */
function multipliers(task, soft) {
  const { classes, validation } = task;
  const even = constant(-Math.log(classes), classes);
  const rate = even.map((_, k) => soft.reduce((sum, row) => sum + row[k], 0) / soft.length);
  const heldOut = oneHot(validation, classes);
  const heldOutRate = even.map((_, k) => heldOut.reduce((s, row) => s + row[k], 0) / heldOut.length);
  const logCost = even.map((one, k) => one - Math.log(Math.max(rate[k], 1e-12)));
  let logs = even;
  const afterStep = (done, network) => {
    if (done % ROBUST.every) return;
    const logits = validation.map(({ x }) => Array.from(network.answer(x)));
    logs = exponentiatedGradient(logs, classErrors(logits, heldOut, heldOutRate), ROBUST.step);
    logs.forEach((one, k) => (logCost[k] = one - Math.log(Math.max(rate[k], 1e-12))));
  };
  return { logCost, afterStep };
}

/** The students of one seed; `pause` is awaited between epochs and may throw.
 *
 *  settings: { ratio, temperature, alpha, teacherEpochs }.
 *  memory: a Map that keeps what does not hang on every setting. */
export async function trial(task, settings, seed, { pause, memory = new Map() }) {
  const { ratio, temperature, alpha, teacherEpochs } = settings;
  const { classes, hidden } = task;
  const drawn = task.draw(seed, ratio);
  const fit = (rows, goals, own) =>
    train(images(rows), goals, { hidden, classes, pause, ...own });
  const remembered = async (name, make) => {
    const key = `${task.key ?? ""} ${ratio} ${seed} ${name}`;
    if (!memory.has(key)) memory.set(key, await make());
    return memory.get(key);
  };
  const plain = (rows, own) => fit(rows, oneHot(rows, classes), own);
  const student = { epochs: STUDENT_EPOCHS, seed };

  const teacher = await remembered(`teacher ${teacherEpochs}`, () =>
    plain(drawn.train, { epochs: teacherEpochs, seed: TEACHER_SEEDS + seed }));
  const initial = await remembered(`initial teacher ${teacherEpochs}`, () =>
    plain(drawn.rest, { epochs: teacherEpochs, seed: INITIAL_TEACHER_SEEDS + seed }));
  const soft = probabilities(teacher, drawn.train, temperature);
  const judged = probabilities(initial, drawn.dev, temperature);
  const trust = adaptiveMix(judged, labels(drawn.dev), classes);
  const taught = (mix, own = {}) =>
    fit(drawn.train, targets(drawn.train, soft, mix, classes), { ...student, ...own });

  const networks = {
    teacher,
    "one-hot": await remembered("one-hot", () => plain(drawn.train, student)),
    distilled: await taught(constant(alpha, classes)),
    AdaAlpha: await taught(trust),
    robust: await taught(constant(1, classes), multipliers(task, soft)),
  };
  const right = Object.fromEntries(
    Object.entries(networks).map(([name, network]) => [name, countRight(network, task)]));
  const [counts, tested] = [drawn.train, task.test].map((rows) => countsOf(rows, classes));
  return { seed, right, trust: Array.from(trust), counts, tested, networks };
}

/** How many examples each class has. */
export function countsOf(examples, classes) {
  const counts = new Array(classes).fill(0);
  for (const { label } of examples) counts[label] += 1;
  return counts;
}
