/* Trains in a thread of its own, so that the page stays quick.
 *
 * In: { id, task, edits, settings, seeds: [...] }, where a new id ends what went on before, or
 * { id } alone to stop. Out: { id, trial } per seed, then { id, done: true }, or { id, error }. */

import { digitsTask } from "./digits.mjs";
import { planeTask, regions } from "./plane.mjs";
import { trial } from "./trial.mjs";

const SLICE = 40; // ms of training between two looks at the messages
const REMEMBERED = 400; // networks
export const CELLS = 50; // of the map of a plane, a side

class Cancelled extends Error {}

let current = 0;
let digits = null;
const memory = new Map();

async function taskOf({ task, edits }) {
  if (task === "plane") return planeTask(edits);
  const address = new URL("./digits.json", import.meta.url);
  digits ??= fetch(address).then((answer) => answer.json()).then(digitsTask);
  return digits;
}

/** Lets messages in every now and then; ends a training that nobody waits for. */
function pauser(id) {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE) return;
    await new Promise((resume) => setTimeout(resume));
    if (id !== current) throw new Cancelled();
    since = performance.now();
  };
}

async function work({ id, settings, seeds, ...what }) {
  const task = await taskOf(what);
  for (const seed of seeds) {
    const { networks, ...found } = await trial(task, settings, seed, { pause: pauser(id), memory });
    if (id !== current) return;
    if (memory.size > REMEMBERED) memory.clear();
    const maps = what.task === "plane" && seed === 0
      ? Object.fromEntries(Object.entries(networks).map(([name, one]) => [name, regions(one, CELLS)]))
      : null;
    postMessage({ id, trial: { ...found, maps } });
  }
  postMessage({ id, done: true });
}

onmessage = ({ data }) => {
  current = data.id;
  if (!data.seeds) return;
  work(data).catch((error) => {
    if (!(error instanceof Cancelled)) postMessage({ id: data.id, error: String(error) });
  });
};
