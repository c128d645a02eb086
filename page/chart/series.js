import { toCost, toCount, toShortName } from '../parts/format.js';

/** @import { UsageStats } from '../data/usage-stats.js' */

/**
 * One colour of the chart.
 * @typedef {object} Series
 * @property {string} name unique
 * @property {string} label
 * @property {number} color from 1 to 8; 0 is what has no colour of its own
 * @property {number[]} values by bucket
 * @property {number | null} sum null where nothing has a price
 */

const maxColors = 7;

/**
 * The largest groups, and the others as one series.
 * @param {UsageStats} stats
 * @param {'cost' | 'tokens'} measure
 * @param {'model' | 'op_name' | 'wb_user_id'} by
 * @returns {Series[]} largest first
 */
export function toSeries({ groups, buckets }, measure, by) {
  const isCost = measure === 'cost';
  const all = groups.map(({ name, sum, costs, tokens }) => ({
    name,
    label: name === '' ? noName[by] : toShortName(name),
    values: isCost ? costs : tokens,
    sum: isCost ? sum.costUsd : sum.tokens,
  }));
  all.sort((a, b) => (b.sum ?? 0) - (a.sum ?? 0));
  const own = all.slice(0, maxColors).map((each, index) => ({ ...each, color: index + 1 }));
  const others = all.slice(maxColors);
  if (others.length === 0) return own;
  const values = buckets.map((_, bucket) =>
    others.reduce((sum, each) => sum + (each.values[bucket] ?? 0), 0),
  );
  const sum = others.reduce((total, each) => total + (each.sum ?? 0), 0);
  return [
    ...own,
    { name: '\u0000others', label: `${toCount(others.length)} others`, color: 0, values, sum },
  ];
}

const noName = { model: '(no model)', op_name: '(no operation)', wb_user_id: '(no user)' };

/**
 * @param {number | null} value
 * @param {'cost' | 'tokens'} measure
 */
export function toMeasure(value, measure) {
  return measure === 'cost' ? toCost(value) : toCount(value ?? 0);
}
