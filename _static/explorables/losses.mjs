/* The one loss of the book, as in kdlib.losses: cross-entropy with a soft target and two vectors
 * over the classes.
 *
 *   target = (1 - mix[y]) * onehot(y) + mix[y] * p
 *   loss   = cross_entropy(f - logCost, target)        predictions use the raw f
 *
 * A test compares every function here with its namesake in kdlib.losses. */

/** softmax(logits / temperature), written into `out`. */
export function soften(logits, temperature = 1, out = new Float64Array(logits.length)) {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit / temperature);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += out[k] = Math.exp(logits[k] / temperature - largest);
  for (let k = 0; k < logits.length; k++) out[k] /= sum;
  return out;
}

/** The target of an example: its label and its teacher's probabilities, mixed. */
export function mixedTarget(label, probabilities, mix, classes) {
  const share = mix[label];
  return Float64Array.from({ length: classes }, (_, k) =>
    (k === label ? 1 - share : 0) + (share ? share * probabilities[k] : 0));
}

/** Loss of one example; its gradient by the logits is written into `gradient`. */
export function exampleLoss(logits, target, logCost, gradient) {
  const shifted = gradient; // a place to work in: it is overwritten below
  for (let k = 0; k < logits.length; k++) shifted[k] = logits[k] - logCost[k];
  let largest = -Infinity;
  for (const one of shifted) largest = Math.max(largest, one);
  let sum = 0;
  for (const one of shifted) sum += Math.exp(one - largest);
  const logSum = largest + Math.log(sum);
  let loss = 0;
  let weight = 0;
  for (const part of target) weight += part;
  for (let k = 0; k < logits.length; k++) {
    const logProbability = shifted[k] - logSum;
    if (target[k]) loss -= target[k] * logProbability;
    gradient[k] = weight * Math.exp(logProbability) - target[k];
  }
  return loss;
}

/** Mean loss of a batch, and its gradient by every logit. */
export function softTargetLoss(logits, labels, probabilities, { mix, logCost }) {
  const classes = logits[0].length;
  const costs = logCost ?? new Float64Array(classes);
  let loss = 0;
  const gradient = logits.map((row, i) => {
    const slope = new Float64Array(classes);
    const target = mixedTarget(labels[i], probabilities?.[i], mix, classes);
    loss += exampleLoss(row, target, costs, slope) / logits.length;
    return slope.map((one) => one / logits.length);
  });
  return { loss, gradient };
}

/** AdaAlpha's trust by class: the teacher's mean margin on examples it has not trained on, cut at
 *  0. A class without an example gets 0. */
export function adaptiveMix(probabilities, labels, classes) {
  const sums = new Float64Array(classes);
  const counts = new Float64Array(classes);
  probabilities.forEach((row, i) => {
    const own = row[labels[i]];
    const all = row.reduce((a, b) => a + b, 0);
    sums[labels[i]] += own - (all - own) / (classes - 1);
    counts[labels[i]] += 1;
  });
  return sums.map((sum, k) => (counts[k] ? Math.min(1, Math.max(0, sum / counts[k])) : 0));
}

/** R_j: how often examples of class j are not taken for it. Targets are one-hot or soft rows. */
export function classErrors(logits, targets, rates) {
  const sums = new Float64Array(rates.length);
  logits.forEach((row, i) => {
    const guess = row.indexOf(Math.max(...row));
    targets[i].forEach((part, j) => (sums[j] += guess === j ? 0 : part / logits.length));
  });
  return sums.map((sum, j) => (rates[j] > 0 ? sum / rates[j] : 0));
}

/** One move of the class multipliers, kept as logarithms: lambda_j exp(step R_j), normalised. */
export function exponentiatedGradient(logMultipliers, errors, step) {
  const moved = logMultipliers.map((one, j) => one + step * errors[j]);
  const largest = Math.max(...moved);
  const logSum = largest + Math.log(moved.reduce((sum, one) => sum + Math.exp(one - largest), 0));
  return moved.map((one) => one - logSum);
}
