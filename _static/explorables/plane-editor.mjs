/* The square of points: drag them, click to add some, or use the keyboard. */

import { choice, button, html, svg } from "./dom.mjs";
import { moved, noEdits, withPoint, withoutPoint } from "./plane-edits.mjs";
import { PLANE_CLASSES, pointsOf, SIDE } from "./plane.mjs";
import { NAMES } from "./words.mjs";

const SHAPES = [
  "M-1.6,0a1.6,1.6 0 1,0 3.2,0a1.6,1.6 0 1,0 -3.2,0Z", "M-1.5,-1.5h3v3h-3Z", "M0,-2.1L1.9,1.4H-1.9Z",
];
const TINTS = [[96, 112, 220], [196, 140, 20], [30, 150, 140]]; // as --kdlib-class-… in the style sheet
const ARROWS = { ArrowLeft: [-2, 0], ArrowRight: [2, 0], ArrowUp: [0, 2], ArrowDown: [0, -2] };
const HELP = "Points in a square. N and P choose the next and the previous point, the arrow keys move "
  + "it, A adds a point of the chosen class in the middle, Delete removes an added point.";

const within = (value) => Math.round(Math.min(SIDE, Math.max(0, value)));
const singular = (label) => PLANE_CLASSES[label].slice(0, -1);

export class PlaneEditor {
  /** change(edits) is called after each change of a point. */
  constructor(edits, change) {
    Object.assign(this, { edits, change, ratio: 1, adds: PLANE_CLASSES.length - 1, shows: "distilled" });
    this.chosen = null;
    this.maps = null;
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.layer = svg("svg", {
      viewBox: `0 0 ${SIDE} ${SIDE}`, tabindex: 0, role: "application", "aria-label": HELP,
      onkeydown: (event) => this.onKey(event),
      onpointerdown: (event) => this.onDown(event),
      onpointermove: (event) => this.onMove(event),
      onpointerup: () => this.onUp(),
      onpointercancel: () => this.onUp(),
    });
    this.said = html("p", { class: "kdlib-said", role: "status" });
    this.element = html("div", { class: "kdlib-plane" },
      html("div", { class: "kdlib-square" }, this.canvas, this.layer),
      html("div", { class: "kdlib-plane-controls" },
        choice({
          label: "A click adds one of the", value: this.adds,
          options: PLANE_CLASSES.map((name, label) => [label, name]),
          change: (label) => (this.adds = label),
        }).element,
        choice({
          label: "The colours show what this network sees", value: this.shows,
          options: Object.entries(NAMES).map(([name, text]) => [name, text]),
          change: (name) => {
            this.shows = name;
            this.paint();
          },
        }).element,
        button("Take my points back", () => this.edit(noEdits(), "all points are where they were")),
        this.said));
  }

  /** Show the points at a ratio, and the maps of the networks where there are some. */
  show(ratio, maps) {
    Object.assign(this, { ratio, maps: maps ?? this.maps });
    this.draw();
    this.paint();
  }

  edit(edits, words) {
    this.edits = edits;
    this.said.textContent = words;
    this.draw();
    this.change(edits);
  }

  draw() {
    this.points = pointsOf(this.ratio, this.edits);
    if (!this.points.some(({ id }) => id === this.chosen)) this.chosen = this.points.at(-1).id;
    this.layer.replaceChildren(...this.points.map(({ id, label, at: [x, y] }) => svg("path", {
      d: SHAPES[label], transform: `translate(${x},${SIDE - y})`, "data-id": id,
      class: `kdlib-point kdlib-class-${label} ${id === this.chosen ? "kdlib-chosen" : ""}`,
    })));
  }

  paint() {
    const map = this.maps?.[this.shows];
    if (!map) return;
    const side = Math.sqrt(map.length);
    Object.assign(this.canvas, { width: side, height: side });
    const drawing = this.canvas.getContext("2d");
    const pixels = drawing.createImageData(side, side);
    map.forEach((label, i) => pixels.data.set([...TINTS[label], 70], 4 * i));
    drawing.putImageData(pixels, 0, 0);
  }

  place(event) {
    const box = this.layer.getBoundingClientRect();
    return [
      within(((event.clientX - box.left) / box.width) * SIDE),
      within(SIDE - ((event.clientY - box.top) / box.height) * SIDE),
    ];
  }

  onDown(event) {
    const hit = event.target.dataset?.id;
    this.layer.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.layer.focus({ preventScroll: true });
    if (hit) {
      this.chosen = this.dragged = hit;
      this.draw();
    } else this.add(this.place(event));
  }

  onMove(event) {
    if (this.dragged) this.move(this.dragged, this.place(event));
  }

  onUp() {
    this.dragged = null;
  }

  add(at) {
    this.chosen = `+${this.edits.added.length}`;
    this.edit(withPoint(this.edits, at, this.adds), `${singular(this.adds)} added at ${at.join(", ")}`);
  }

  move(id, at) {
    const { label } = this.points.find((one) => one.id === id);
    this.edit(moved(this.edits, id, at), `${singular(label)} at ${at.join(", ")}`);
  }

  choose(step) {
    const place = this.points.findIndex(({ id }) => id === this.chosen);
    const { id, label, at } = this.points.at((place + step) % this.points.length);
    this.chosen = id;
    this.said.textContent = `${singular(label)} at ${at.join(", ")}`;
    this.draw();
  }

  onKey(event) {
    const { key } = event;
    const chosen = this.points.find(({ id }) => id === this.chosen);
    if (ARROWS[key]) this.move(this.chosen, chosen.at.map((one, i) => within(one + ARROWS[key][i])));
    else if (key === "n" || key === "p") this.choose(key === "n" ? 1 : -1);
    else if (key === "a") this.add([SIDE / 2, SIDE / 2]);
    else if (key === "Delete" && this.chosen.startsWith("+")) {
      this.edit(withoutPoint(this.edits, this.chosen), "point removed");
    } else return;
    event.preventDefault();
  }
}
