/* The playground: settings on the page, trainings in a worker, dots that arrive seed by seed. */

import { readAddress, writeAddress } from "./address.mjs";
import { classChart, measureChart } from "./charts.mjs";
import { button, choice, html, onWidth, slider } from "./dom.mjs";
import { legend } from "./marks.mjs";
import { readEdits, spelled } from "./plane-edits.mjs";
import { PlaneEditor } from "./plane-editor.mjs";
import { PLANE_CLASSES } from "./plane.mjs";
import { rarestCount, summarise } from "./summary.mjs";
import { numbersTable } from "./table.mjs";
import { headline, known, rarestSaid, sentences } from "./words.mjs";

const METHODS = ["one-hot", "distilled", "AdaAlpha", "robust"];
const FIELDS = {
  task: { short: "d", values: ["digits", "plane"] },
  ratio: { short: "r", values: [1, 2, 5, 10, 20, 30, 50] },
  temperature: { short: "t", values: [1, 2, 3, 5, 8] },
  alpha: { short: "a", values: [0, 0.25, 0.5, 0.75, 1] },
  teacherEpochs: { short: "e", values: [10, 20, 40, 80, 160] },
  seeds: { short: "n", values: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50] },
};
const SEEDS = { digits: 5, plane: 20 }; // at first: points train in no time
const DEFAULTS = {
  task: "digits", ratio: 20, temperature: 3, alpha: 1, teacherEpochs: 40, seeds: SEEDS.digits,
};
const NOUNS = { digits: ["digit", "digits"], plane: ["class", "classes"] };
const SLIDERS = {
  ratio: { label: "imbalance ratio", format: (one) => `${one} : 1` },
  temperature: { label: "temperature T", format: String },
  alpha: { label: "trust α in the teacher", format: String },
  teacherEpochs: { label: "teacher's training", format: (one) => `${one} epochs` },
};
const PRESETS = [
  ["An unfinished teacher", { ratio: 20, temperature: 3, alpha: 1, teacherEpochs: 20 }],
  ["A finished teacher", { ratio: 20, temperature: 3, alpha: 1, teacherEpochs: 160 }],
  ["A hot teacher", { ratio: 20, temperature: 8, alpha: 1, teacherEpochs: 40 }],
  ["Trust it less", { ratio: 20, temperature: 8, alpha: 0.5, teacherEpochs: 40 }],
  ["Even classes", { ratio: 1, temperature: 3, alpha: 1, teacherEpochs: 40 }],
];
const PATIENCE = 120; // ms without a change before training starts

class Playground {
  constructor(root) {
    this.root = root;
    const asked = readAddress(FIELDS);
    this.state = { ...DEFAULTS, seeds: SEEDS[asked.task ?? DEFAULTS.task], ...asked };
    this.trials = [];
    this.id = 0;
    this.worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.onMessage(data);
    this.worker.onerror = () => this.tell("The trainings cannot start in this browser.");
    this.editor = new PlaneEditor(readEdits(), () => this.changed());
    this.build();
    onWidth(this.charts, () => this.draw());
    this.start();
  }

  build() {
    this.tasks = choice({
      label: "Data", value: this.state.task, change: (task) => this.set({ task }),
      options: [["digits", "handwritten digits"], ["plane", "points that you move"]],
    });
    this.sliders = Object.fromEntries(Object.entries(SLIDERS).map(([name, words]) => [name, slider({
      ...words, values: FIELDS[name].values, value: this.state[name],
      change: (value) => this.set({ [name]: value }),
    })]));
    this.more = button("Train five more", () => this.trainMore(), { class: "kdlib-main" });
    this.stop = button("Stop", () => this.cancel());
    this.status = html("span", { class: "kdlib-status", role: "status" });
    this.words = html("div", { class: "kdlib-words", "aria-live": "polite" });
    this.charts = html("div", { class: "kdlib-charts" });
    this.numbers = html("div", { class: "kdlib-numbers" });
    this.root.replaceChildren(
      this.tasks.element,
      html("div", { class: "kdlib-presets", role: "group", "aria-label": "Examples to start from" },
        ...PRESETS.map(([name, values]) => button(name, () => this.set(values)))),
      html("div", { class: "kdlib-sliders" }, ...Object.values(this.sliders).map((one) => one.element)),
      html("div", { class: "kdlib-run" }, this.more, this.stop, this.status),
      this.words, legend(METHODS), this.editor.element, this.charts,
      html("details", {}, html("summary", {}, "The numbers as a table"), this.numbers));
    this.root.dataset.ready = "";
  }

  set(values) {
    Object.assign(this.state, { seeds: SEEDS[values.task ?? this.state.task] }, values);
    for (const [name, one] of Object.entries(this.sliders)) one.set(this.state[name]);
    this.tasks.set(this.state.task);
    this.changed();
  }

  /** Something else is asked for: end what goes on, and train anew once the reader rests. */
  changed() {
    this.cancel();
    this.root.classList.add("kdlib-stale");
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.start(), PATIENCE);
    this.keepAddress();
    this.showEditor();
  }

  keepAddress() {
    const edits = this.state.task === "plane" ? spelled(this.editor.edits) : {};
    const defaults = { ...DEFAULTS, seeds: SEEDS[this.state.task] };
    writeAddress(FIELDS, this.state, defaults, edits);
  }

  showEditor(maps) {
    this.editor.element.hidden = this.state.task !== "plane";
    this.editor.show(this.state.ratio, maps);
  }

  start() {
    this.trials = [];
    this.widths = [];
    this.words.replaceChildren(); // they would speak of other settings than the marks that arrive
    this.showEditor();
    this.train(0, this.state.seeds);
  }

  trainMore() {
    const first = this.trials.length;
    const seeds = FIELDS.seeds.values.find((one) => one >= first + 5);
    if (seeds === undefined) return;
    this.state.seeds = seeds;
    this.keepAddress();
    this.train(first, seeds);
  }

  train(first, end) {
    this.id += 1;
    this.until = end;
    this.busy(true);
    const { task, seeds: _, ...settings } = this.state;
    const seeds = Array.from({ length: end - first }, (_, i) => first + i);
    this.worker.postMessage({ id: this.id, task, edits: this.editor.edits, settings, seeds });
    this.tell(`training seed ${first + 1} of ${end} …`);
  }

  cancel() {
    this.id += 1;
    this.worker.postMessage({ id: this.id });
    this.busy(false);
    this.tell(`stopped after ${this.trials.length} seeds`);
  }

  busy(is) {
    this.stop.disabled = !is;
    this.more.disabled = is || this.state.seeds >= FIELDS.seeds.values.at(-1);
    this.root.setAttribute("aria-busy", is);
  }

  onMessage({ id, trial, done, error }) {
    if (id !== this.id) return; // of a training that nobody waits for
    if (error) return this.fail(error);
    if (done) return this.finish();
    this.root.classList.remove("kdlib-stale");
    this.trials.push(trial);
    if (trial.maps) this.showEditor(trial.maps);
    this.tell(`${this.trials.length} of ${this.until} seeds trained …`);
    this.draw();
  }

  fail(error) {
    this.busy(false);
    this.tell(`The training ended with an error: ${error}`);
  }

  finish() {
    this.busy(false);
    const { change } = this.summary().measures.rarest.distilled;
    const width = known(change) ? change.high - change.low : NaN;
    const before = this.widths.at(-1);
    this.widths.push(width);
    const now = `${this.trials.length} seeds trained`;
    if (Number.isNaN(width)) return this.tell(`${now}.`);
    const was = before ? `, it was ${before.toFixed(1)}` : "";
    this.tell(`${now}. The interval of what distillation does to the rarest is `
      + `${width.toFixed(1)} points wide${was}.`);
    const rarest = rarestSaid(this.columns(), rarestCount(this.columns().length), this.nouns());
    this.words.replaceChildren(
      html("p", { class: "kdlib-headline" }, headline(this.summary(), rarest)),
      ...sentences(this.summary(), rarest, METHODS).map((one) => html("p", {}, one)));
    this.numbers.replaceChildren(numbersTable(this.summary(), this.columns(), METHODS, this.nouns()[0]));
  }

  nouns() {
    return NOUNS[this.state.task];
  }

  summary() {
    const shares = ({ right, tested }, method) => right[method].map((one, k) => (100 * one) / tested[k]);
    return summarise(Object.fromEntries(
      METHODS.map((method) => [method, this.trials.map((one) => shares(one, method))])));
  }

  columns() {
    const [{ counts }] = this.trials;
    const names = this.state.task === "plane" ? PLANE_CLASSES : counts.map((_, k) => String(k));
    return names.map((name, k) => ({ name, count: counts[k] }));
  }

  draw() {
    if (!this.trials.length) return;
    const width = this.charts.clientWidth;
    const how = { width, methods: METHODS, showSeeds: true, noun: this.nouns()[0] };
    this.charts.replaceChildren(
      html("p", { class: "kdlib-subtitle" },
        "Over the classes: a faint mark per seed, the mean, its 95 % interval (%)"),
      measureChart(this.summary(), how),
      html("p", { class: "kdlib-subtitle" }, "Class by class, with the number of training examples below (%)"),
      classChart(this.summary(), this.columns(), { ...how, showSeeds: false }));
  }

  tell(words) {
    this.status.textContent = words;
  }
}

for (const root of document.querySelectorAll(".kdlib-playground")) new Playground(root);
