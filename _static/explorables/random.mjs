/* Random numbers from a seed: the same in every browser, so that a seed has one result. */

/** Uniform numbers in [0, 1): mulberry32. */
export function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A standard normal number (Box and Muller). */
export function gauss(uniform) {
  return Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
}

/** Shuffle `items` in place (Fisher and Yates) and return it. */
export function shuffle(items, uniform) {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
  return items;
}
