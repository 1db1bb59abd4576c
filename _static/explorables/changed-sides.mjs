/* The images that changed sides: test images that distillation loses, and who wins them back. */

import { readAddress, writeAddress } from "./address.mjs";
import { choice, html } from "./dom.mjs";
import { answersOf, imagesOf, ranked, totals } from "./sides-count.mjs";
import { altSaid, countsSaid, headline, seedSaid, sentences, wrongSaid } from "./sides-words.mjs";
import { nearest, picture } from "./tiles.mjs";

const DEFAULTS = { label: 9, temperature: 3, sort: "seeds" };
const FIELDS = {
  label: { short: "digit", values: [...Array(10).keys()] },
  temperature: { short: "heat", values: [1, 3] },
  sort: { short: "sort", values: ["seeds", "sure"] },
};
const CONTROLS = {
  label: ["digit", FIELDS.label.values.map((one) => [one, String(one)])],
  temperature: ["temperature T", FIELDS.temperature.values.map((one) => [one, String(one)])],
  sort: ["sorted by", [["seeds", "seeds that changed"], ["sure", "how sure the teacher is"]]],
};
const STRIPS = {
  lost: ["Lost by distillation in more seeds than gained", "distilled"],
  back: ["Of the lost answers, won back by AdaAlpha", "distilled"],
  gained: ["Gained by distillation in more seeds than lost", "one-hot"],
};
const MOST = 8; // tiles of a strip
const FEW = 5; // training images that explain one

class ChangedSides {
  constructor(root, record, file) {
    Object.assign(this, { root, record, file });
    this.state = { ...DEFAULTS, ...readAddress(FIELDS) };
    this.build();
    this.draw();
  }

  build() {
    const choosers = Object.entries(CONTROLS).map(([name, [label, options]]) => choice({
      label, options, value: this.state[name], change: (value) => this.set({ [name]: value }),
    }).element);
    this.title = html("p", { class: "kdlib-headline", "aria-live": "polite" });
    this.strips = html("div");
    this.why = html("div", { class: "kdlib-why", "aria-live": "polite" });
    this.words = html("div", { class: "kdlib-words" });
    this.root.replaceChildren(
      html("div", { class: "kdlib-choices" }, ...choosers), this.title, this.strips, this.why, this.words);
    this.root.dataset.ready = "";
  }

  set(values) {
    this.state = { ...this.state, ...values };
    writeAddress(FIELDS, this.state, DEFAULTS);
    this.draw();
  }

  draw() {
    this.said = answersOf(this.record, this.file.test.labels, this.state);
    const images = imagesOf(this.said);
    const counts = totals(this.said, images);
    this.title.textContent = headline(this.state.label, counts);
    this.words.replaceChildren(
      ...sentences(this.said, counts, this.state.temperature).map((one) => html("p", {}, one)));
    this.strips.replaceChildren(...Object.keys(STRIPS).map((name) => this.strip(name, images)).filter(Boolean),
      html("p", { class: "kdlib-note" }, 
        `Under each image: in how many of ${this.said.seeds} seeds the one-hot → the distilled → the AdaAlpha student `
        + "is right, and the wrong answer that is given most. Choose an image to see what its students learnt from."));
    this.why.replaceChildren();
    this.strips.querySelector("button")?.dispatchEvent(new Event("pointerenter"));
  }

  strip(name, images) {
    const shown = ranked(images, name, this.state.sort, (one) => this.sureness(one));
    if (!shown.length) return null;
    const tiles = shown.slice(0, MOST).map((image) => html("li", {}, this.tile(name, image)));
    return html("div", {},
      html("p", { class: "kdlib-subtitle" }, `${STRIPS[name][0]}: ${shown.length} images`),
      html("ul", { class: "kdlib-tiles" }, ...tiles));
  }

  tile(name, image) {
    const method = STRIPS[name][1];
    const show = () => this.explain(name, image, tile);
    const tile = html("button", {
      type: "button", class: "kdlib-tile", onclick: show, onfocus: show, onpointerenter: show,
    }, picture(this.file, "test", image.row, altSaid(this.said, image, method)),
    html("span", { "aria-hidden": "true" }, countsSaid(image)),
    html("span", { "aria-hidden": "true" }, wrongSaid(this.said, image.place, method)));
    return tile;
  }

  /** The teacher's mean probability of its guess, over the seeds. */
  sureness({ row }) {
    return this.record.sure.reduce((sum, line) => sum + this.sureIn(line, row), 0);
  }

  sureIn(line, row) {
    return Number(line.slice(2 * row, 2 * row + 2));
  }

  /** The training images of one seed in which the image changed sides. */
  explain(name, image, tile) {
    this.strips.querySelectorAll("[aria-current]").forEach((one) => one.removeAttribute("aria-current"));
    tile.setAttribute("aria-current", "true");
    const method = STRIPS[name][1];
    const [seed] = image[name];
    const wrong = this.said.said[method][seed][image.place];
    const sure = this.sureIn(this.record.sure[seed], image.row);
    this.why.replaceChildren(
      html("p", {}, seedSaid(this.said, image.place, seed, sure)),
      html("div", { class: "kdlib-likes" },
        this.likes(image, seed, this.state.label), this.likes(image, seed, wrong)));
  }

  likes(image, seed, label) {
    const kept = this.record.kept[seed][label];
    const rows = nearest(this.file, image.row, kept, FEW);
    const which = kept.length > FEW
      ? `The ${FEW} most alike of the ${kept.length} ${label}s that trained it:`
      : `All ${kept.length} ${label}s that trained it:`;
    return html("div", {},
      html("p", { class: "kdlib-note" }, which),
      html("div", { class: "kdlib-tiles" }, ...rows.map((row, i) =>
        picture(this.file, "train", row, `training image of a ${label}, number ${i + 1} in likeness`))));
  }
}

for (const root of document.querySelectorAll(".kdlib-sides")) {
  const record = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  fetch(new URL("./digits.json", import.meta.url))
    .then((answer) => answer.json())
    .then((file) => new ChangedSides(root, record, file));
}
