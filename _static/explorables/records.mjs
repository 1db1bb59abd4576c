/* Recorded trainings: which settings there are, and what each method got right at them.
 *
 * The file is that of kdbook.explorables.who_pays: `right` holds a list of seeds by a name such as
 * "distilled 20 3 1 40" (method, ratio, temperature, alpha, teacher's epochs). */

const PARTS = {
  "one-hot": ["ratio"],
  teacher: ["ratio", "teacherEpochs"],
  distilled: ["ratio", "temperature", "alpha", "teacherEpochs"],
  AdaAlpha: ["ratio", "temperature", "teacherEpochs"],
};

const nameOf = (method, state) => [method, ...PARTS[method].map((part) => state[part])].join(" ");

/** Accuracies in percent: { method: [[by class] by seed] }. */
export function accuraciesAt(file, state, methods) {
  const share = (right) => right.map((one, k) => (100 * one) / file.tested[k]);
  return Object.fromEntries(
    methods.map((method) => [method, file.right[nameOf(method, state)].map(share)]));
}

/** The columns of the charts at a ratio. */
export const columnsAt = (file, { ratio }) =>
  file.counts[ratio].map((count, k) => ({ name: String(k), count }));

/** Whether there are trainings at these settings. */
export const isRecorded = (file, state) => nameOf("distilled", state) in file.right;

/** The settings, with another teacher where the one that is asked for was not trained. */
export function nearestRecorded(file, state) {
  const lengths = [state.teacherEpochs, ...file.values.teacherEpochs];
  const teacherEpochs = lengths.find((one) => isRecorded(file, { ...state, teacherEpochs: one }));
  return { ...state, teacherEpochs };
}
