/* A reader's changes to the points of the plane, and their short form in the address. */

import { PLANE_CLASSES, SIDE } from "./plane.mjs";

const MOST = 60; // changes that an address may ask for

export const noEdits = () => ({ moved: {}, added: [] });

/** A copy with one point at another place. */
export function moved(edits, id, at) {
  if (!id.startsWith("+")) return { ...edits, moved: { ...edits.moved, [id]: at } };
  const added = edits.added.map((one, i) => (`+${i}` === id ? [...at, one[2]] : one));
  return { ...edits, added };
}

export const withPoint = (edits, at, label) => ({ ...edits, added: [...edits.added, [...at, label]] });

/** A copy without an added point. */
export const withoutPoint = (edits, id) =>
  ({ ...edits, added: edits.added.filter((_, i) => `+${i}` !== id) });

/** For the address: "0.3_52_28~..." and "52_28_2~..."; empty where nothing was changed. */
export function spelled({ moved: places, added }) {
  const parts = {
    moved: Object.entries(places).map(([id, at]) => [id, ...at].join("_")).join("~"),
    added: added.map((one) => one.join("_")).join("~"),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, text]) => text));
}

const inside = (value) => Number.isInteger(value) && value >= 0 && value <= SIDE;

/** What an address spells; what is malformed is left out. */
export function readEdits() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const parts = (name) => (asked.get(name) ?? "").split("~").filter(Boolean).slice(0, MOST)
    .map((one) => one.split("_"));
  const edits = noEdits();
  for (const [id, x, y] of parts("moved")) {
    const at = [Number(x), Number(y)];
    if (/^\d\.\d+$/.test(id) && at.every(inside)) edits.moved[id] = at;
  }
  for (const [x, y, label] of parts("added").map((one) => one.map(Number))) {
    if (inside(x) && inside(y) && PLANE_CLASSES[label]) edits.added.push([x, y, label]);
  }
  return edits;
}
