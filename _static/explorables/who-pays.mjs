/* Who pays? A sweep over recorded trainings: each move shows what was measured there. */

import { readAddress, writeAddress } from "./address.mjs";
import { classChart, measureChart } from "./charts.mjs";
import { choice, html, onWidth, tick } from "./dom.mjs";
import { legend } from "./marks.mjs";
import { accuraciesAt, columnsAt, isRecorded, nearestRecorded } from "./records.mjs";
import { rarestCount, summarise } from "./summary.mjs";
import { numbersTable } from "./table.mjs";
import { tailOfImages } from "./tail.mjs";
import { headline, rarestSaid, sentences } from "./words.mjs";

const CONTROLS = {
  ratio: { short: "r", label: "imbalance", say: (one) => (one === 1 ? "none" : `${one} : 1`) },
  temperature: { short: "t", label: "temperature T", say: String },
  alpha: { short: "a", label: "trust α", say: String },
  teacherEpochs: { short: "e", label: "teacher trained for", say: (one) => `${one} epochs` },
};
const DEFAULTS = {
  ratio: 20, temperature: 3, alpha: 1, teacherEpochs: 80, ada: true, teacher: false, seeds: false,
};
const TICKS = { ada: "AdaAlpha: trust by class", teacher: "the teacher itself", seeds: "every seed" };
const NOUNS = ["digit", "digits"];

class WhoPays {
  constructor(root, file) {
    Object.assign(this, { root, file });
    const flags = Object.keys(TICKS).map((name) => [name, { short: name, values: [false, true] }]);
    const controls = Object.entries(CONTROLS).map(([name, { short }]) =>
      [name, { short, values: file.values[name] }]);
    this.fields = Object.fromEntries([...controls, ...flags]);
    this.state = nearestRecorded(file, { ...DEFAULTS, ...readAddress(this.fields) });
    this.build();
    onWidth(this.charts, () => this.draw());
  }

  build() {
    this.choices = Object.fromEntries(Object.keys(CONTROLS).map((name) => [name, this.chooser(name)]));
    const several = ([name]) => this.file.values[name].length > 1;
    const elements = Object.entries(this.choices).filter(several).map(([, { element }]) => element);
    const ticks = Object.entries(TICKS).map(([name, label]) =>
      tick({ label, value: this.state[name], change: (value) => this.set({ [name]: value }) }).element);
    this.title = html("p", { class: "kdlib-headline", "aria-live": "polite" });
    this.words = html("div", { class: "kdlib-words" });
    this.key = html("div");
    this.charts = html("div", { class: "kdlib-charts" });
    this.numbers = html("div", { class: "kdlib-numbers" });
    this.root.replaceChildren(
      html("div", { class: "kdlib-choices" }, ...elements),
      this.title, this.key, this.charts, this.words,
      html("fieldset", { class: "kdlib-choice" }, html("legend", {}, "Show"), ...ticks),
      html("details", {}, html("summary", {}, "The numbers as a table"), this.numbers));
    this.root.dataset.ready = "";
  }

  chooser(name) {
    const { label, say } = CONTROLS[name];
    return choice({
      label, value: this.state[name], options: this.file.values[name].map((one) => [one, say(one)]),
      change: (value) => this.set({ [name]: value }),
    });
  }

  set(values) {
    this.state = nearestRecorded(this.file, { ...this.state, ...values });
    writeAddress(this.fields, this.state, DEFAULTS);
    this.draw();
  }

  methods() {
    const { ada, teacher } = this.state;
    return ["one-hot", "distilled", ada && "AdaAlpha", teacher && "teacher"].filter(Boolean);
  }

  /** Only the teachers that were trained at this ratio can be chosen. */
  offer() {
    const { teacherEpochs } = this.choices;
    teacherEpochs.set(this.state.teacherEpochs);
    teacherEpochs.allow((one) => isRecorded(this.file, { ...this.state, teacherEpochs: one }));
  }

  draw() {
    this.offer();
    const all = ["one-hot", "distilled", "AdaAlpha", "teacher"];
    const summary = summarise(accuraciesAt(this.file, this.state, all));
    const columns = columnsAt(this.file, this.state);
    const methods = this.methods();
    this.say(summary, rarestSaid(columns, rarestCount(columns.length), NOUNS));
    const how = { width: this.charts.clientWidth, methods, showSeeds: this.state.seeds, noun: NOUNS[0] };
    this.key.replaceChildren(legend(methods));
    this.charts.replaceChildren(
      html("p", { class: "kdlib-subtitle" },
        "Digit by digit: accuracy on new images (%), and below the images it had to learn from"),
      classChart(summary, columns, how), tailOfImages(columns),
      html("p", { class: "kdlib-subtitle" }, "Over the digits (%)"), measureChart(summary, how));
    this.numbers.replaceChildren(numbersTable(summary, columns, methods, NOUNS[0]));
  }

  say(summary, rarest) {
    const students = this.methods().filter((name) => name !== "teacher");
    this.title.textContent = headline(summary, rarest);
    this.words.replaceChildren(
      ...sentences(summary, rarest, students).map((one) => html("p", {}, one)),
      html("p", {}, `${summary.seeds} seeds; a change is clear where its 95 % interval leaves out zero.`));
  }
}

for (const root of document.querySelectorAll(".kdlib-who-pays")) {
  fetch(new URL("./who-pays.json", import.meta.url))
    .then((answer) => answer.json())
    .then((file) => new WhoPays(root, file));
}
