/* 95 % t-intervals over seeds, as kdlib.metrics.t_interval takes those of differences. */

// Student's t at 97.5 %, for 1 to 30 degrees of freedom.
const QUANTILES = [
  12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306, 2.26216, 2.22814, 2.20099,
  2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596, 2.07961, 2.07387,
  2.06866, 2.0639, 2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227,
];
const FEWEST = 3; // seeds: fewer do not tell a spread
const RESOLUTION = 1e-3; // of accuracies in percent

/** Beyond the table by the expansion of Cornish and Fisher. */
function quantile(freedom) {
  if (freedom <= QUANTILES.length) return QUANTILES[freedom - 1];
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

export const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;

/** The largest step, of at least an eighth of the range, that all gaps are multiples of; else 0. */
function gridStep(values, low, width) {
  for (let steps = 1; steps <= 8; steps++) {
    const on = (value) => {
      const gap = ((value - low) / width) * steps;
      return Math.abs(gap - Math.round(gap)) < 1e-3;
    };
    if (values.every(on)) return width / steps;
  }
  return 0;
}

/** Half the width of the interval; NaN where nothing tells the spread. */
function halfWidth(values, middle) {
  const low = Math.min(...values);
  const width = Math.max(...values) - low;
  if (values.length < FEWEST || width <= RESOLUTION) return NaN;
  const squares = values.reduce((sum, one) => sum + (one - middle) ** 2, 0);
  const spread = Math.max(Math.sqrt(squares / (values.length - 1)), gridStep(values, low, width));
  return (quantile(values.length - 1) * spread) / Math.sqrt(values.length);
}

/** Mean and interval, { mean, low, high }, cut at `least` and `most`: beyond them nothing lies. The
 *  ends are NaN where there is no interval. */
function tInterval(values, least, most) {
  const middle = mean(values);
  const half = halfWidth(values, middle);
  return { mean: middle, low: Math.max(middle - half, least), high: Math.min(middle + half, most) };
}

export const ofDifferences = (values) => tInterval(values, -100, 100);
export const ofPercents = (values) => tInterval(values, 0, 100);

/** 1 or -1 where the interval leaves out zero, else 0. */
export function sign({ low, high }) {
  if (low > 0) return 1;
  return high < 0 ? -1 : 0;
}
