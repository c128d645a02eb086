import { toCost, toDay, toShortCount, toTime } from '../parts/format.js';

/** Lines across the chart at most, the lowest one apart. */
const maxTicks = 4;

/**
 * Round values from 0 to the largest one or a little above it.
 * @param {number} max
 * @returns {number[]}
 */
export function toTicks(max) {
  if (max <= 0) return [0];
  const magnitude = 10 ** Math.floor(Math.log10(max / maxTicks));
  const step =
    magnitude * ([1, 2, 2.5, 5, 10].find((each) => each * magnitude * maxTicks >= max) ?? 10);
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/**
 * @param {number} value
 * @param {'cost' | 'tokens'} measure
 */
export function toTickLabel(value, measure) {
  if (value === 0) return '0';
  return measure === 'tokens'
    ? toShortCount(value)
    : toCost(value)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
}

const dayS = 86_400;

/**
 * When a bucket begins: `2 Nov`, or `2 Nov 06:00` where it is shorter than a day.
 * @param {Date} bucket
 * @param {number} granularityS
 */
export function toBucketLabel(bucket, granularityS) {
  return granularityS >= dayS ? toDay(bucket) : `${toDay(bucket)} ${toTime(bucket)}`;
}

/**
 * Which buckets have a label below the axis: those that begin a day, or the hours of a window of few days.
 * @param {Date[]} buckets
 * @param {number} granularityS
 * @param {number} maxLabels
 * @returns {{ index: number, label: string }[]}
 */
export function toAxisLabels(buckets, granularityS, maxLabels) {
  const days = buckets
    .map((bucket, index) => ({ index, label: toDay(bucket), isDay: toTime(bucket) === '00:00' }))
    .filter(({ isDay }) => isDay);
  if (days.length >= 3 || granularityS >= dayS) {
    const every = Math.ceil(days.length / maxLabels);
    return days.filter((_, index) => index % every === 0);
  }
  const every = Math.ceil(buckets.length / maxLabels);
  return buckets
    .map((bucket, index) => ({
      index,
      label: toTime(bucket) === '00:00' ? toDay(bucket) : toTime(bucket),
    }))
    .filter(({ index }) => index % every === 0);
}
