/* A network of one hidden layer, and its training: gradient descent with momentum and a cosine. */

import { exampleLoss } from "./losses.mjs";
import { gauss, generator, shuffle } from "./random.mjs";

const RATE = 0.1;
const MOMENTUM = 0.9;
const DECAY = 1e-4;
const BATCH = 32;

const weights = (length, scale, uniform) =>
  Float32Array.from({ length }, () => gauss(uniform) * scale);

export class Network {
  constructor(inputs, hidden, classes, seed) {
    const uniform = generator(seed * 7 + 1);
    Object.assign(this, { inputs, hidden, classes });
    this.parameters = [
      weights(hidden * inputs, Math.sqrt(2 / inputs), uniform),
      new Float32Array(hidden),
      weights(classes * hidden, Math.sqrt(1 / hidden), uniform),
      new Float32Array(classes),
    ];
    this.speeds = this.parameters.map((one) => new Float32Array(one.length));
    this.slopes = this.parameters.map((one) => new Float32Array(one.length));
    this.active = new Float32Array(hidden);
    this.logits = new Float32Array(classes);
  }

  /** The logits of one example; the array is used again by the next call. */
  answer(x) {
    const { inputs, hidden, classes, active, logits } = this;
    const [into, intoBias, out, outBias] = this.parameters;
    for (let j = 0, at = 0; j < hidden; j++) {
      let sum = intoBias[j];
      for (let i = 0; i < inputs; i++) sum += into[at++] * x[i];
      active[j] = sum > 0 ? sum : 0;
    }
    for (let k = 0, at = 0; k < classes; k++) {
      let sum = outBias[k];
      for (let j = 0; j < hidden; j++) sum += out[at++] * active[j];
      logits[k] = sum;
    }
    return logits;
  }

  /** The class of the largest logit. */
  guess(x) {
    const logits = this.answer(x);
    let best = 0;
    for (let k = 1; k < logits.length; k++) if (logits[k] > logits[best]) best = k;
    return best;
  }

  /** Add the slopes of the example that was answered last. */
  learn(x, slope) {
    const { inputs, hidden, classes, active } = this;
    const [into, intoBias, out, outBias] = this.slopes;
    const weightsOut = this.parameters[2];
    for (let k = 0, at = 0; k < classes; k++) {
      outBias[k] += slope[k];
      for (let j = 0; j < hidden; j++) out[at++] += slope[k] * active[j];
    }
    for (let j = 0; j < hidden; j++) {
      if (active[j] <= 0) continue;
      let back = 0;
      for (let k = 0; k < classes; k++) back += slope[k] * weightsOut[k * hidden + j];
      intoBias[j] += back;
      for (let i = 0, at = j * inputs; i < inputs; i++) into[at++] += back * x[i];
    }
  }

  /** One step along the mean of the slopes that were added. */
  step(rate, examples) {
    this.parameters.forEach((values, layer) => {
      const speed = this.speeds[layer];
      const slope = this.slopes[layer];
      for (let i = 0; i < values.length; i++) {
        speed[i] = MOMENTUM * speed[i] + slope[i] / examples + DECAY * values[i];
        values[i] -= rate * speed[i];
        slope[i] = 0;
      }
    });
  }
}

/** Train a network; `pause` is awaited after each epoch, and may throw to end it.
 *
 *  images, targets: one row per example. logCost: of the loss, read anew each step.
 *  afterStep(done, network): called after each step. */
export async function train(images, targets, options) {
  const { hidden, classes, epochs, seed, pause, afterStep = () => {} } = options;
  const logCost = options.logCost ?? new Float64Array(classes);
  const network = new Network(images[0].length, hidden, classes, seed);
  const uniform = generator(seed * 13 + 5);
  const order = images.map((_, i) => i);
  const steps = epochs * Math.ceil(images.length / BATCH);
  const slope = new Float64Array(classes);
  for (let epoch = 0, done = 0; epoch < epochs; epoch++) {
    shuffle(order, uniform);
    for (let start = 0; start < order.length; start += BATCH) {
      const batch = order.slice(start, start + BATCH);
      for (const i of batch) {
        exampleLoss(network.answer(images[i]), targets[i], logCost, slope);
        network.learn(images[i], slope);
      }
      network.step(0.5 * RATE * (1 + Math.cos((Math.PI * done) / steps)), batch.length);
      afterStep(++done, network);
    }
    await pause();
  }
  return network;
}
