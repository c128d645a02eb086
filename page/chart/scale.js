import { toDay, toShortCost, toShortCount, toTime } from '../parts/format.js';

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
 * The labels of ticks, all with as many digits: `$0.025`, `$0.050`.
 * @param {number[]} ticks
 * @param {'cost' | 'tokens'} measure
 * @returns {string[]}
 */
export function toTickLabels(ticks, measure) {
  if (measure === 'tokens') return ticks.map(toShortCount);
  const step = ticks[1] ?? 0;
  const [, decimals = ''] = step.toFixed(12).replace(/0+$/, '').split('.');
  const digits = decimals === '' ? 0 : Math.max(2, decimals.length);
  return ticks.map((tick) => (tick === 0 ? '0' : toShortCost(tick, digits)));
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

/** Times between labels, of which one is chosen for buckets shorter than half a day. */
const labelStepsMin = [1, 5, 15, 30, 60, 120, 180, 360, 720, 1_440];

/**
 * Which buckets have a label below the axis: those that begin a day, or those at round times in a window of few days.
 * @param {Date[]} buckets
 * @param {number} granularityS
 * @param {number} maxLabels
 * @returns {{ index: number, label: string }[]}
 */
export function toAxisLabels(buckets, granularityS, maxLabels) {
  const days = buckets
    .map((bucket, index) => ({ index, label: toDay(bucket), isDay: toMinute(bucket) === 0 }))
    .filter(({ isDay }) => isDay);
  if (days.length >= 3 || granularityS >= dayS) {
    const every = Math.ceil(days.length / maxLabels);
    return days.filter((_, index) => index % every === 0);
  }
  const minutes = (buckets.length * granularityS) / 60;
  const step = labelStepsMin.find((each) => minutes / each <= maxLabels) ?? 1_440;
  return buckets
    .map((bucket, index) => ({ index, minute: toMinute(bucket), bucket }))
    .filter(({ minute }) => minute % step === 0)
    .map(({ index, minute, bucket }) => ({
      index,
      label: minute === 0 ? toDay(bucket) : toTime(bucket),
    }));
}

/** Of the local day. @param {Date} date */
function toMinute(date) {
  return date.getHours() * 60 + date.getMinutes();
}
