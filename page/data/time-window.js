const hourMs = 3_600_000;

/** Presets: the name in the address, and whole days before the end of today, or hours before now. */
export const presets = /** @type {const} */ ({
  '24h': { label: '24 hours', hours: 24 },
  '7d': { label: '7 days', days: 7 },
  '14d': { label: '14 days', days: 14 },
  '30d': { label: '30 days', days: 30 },
  '90d': { label: '90 days', days: 90 },
});

/** @typedef {keyof typeof presets} PresetName */

export const defaultPreset = '7d';

/**
 * @typedef {object} TimeWindow
 * @property {Date} start inclusive
 * @property {Date} end exclusive
 * @property {number} granularityS length of a bucket of the chart
 */

/** The zone in which the page shows times and buckets begin. */
export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * @param {string} name
 * @returns {name is PresetName}
 */
export function isPreset(name) {
  return Object.hasOwn(presets, name);
}

/**
 * The window of a view. Presets end when the data was read and begin at midnight or at a full hour, so that the first
 * bucket is whole.
 * @param {{ range: string, from: string, to: string }} view
 * @param {Date} now
 * @returns {TimeWindow | string} a sentence when the address has no valid window
 */
export function toTimeWindow({ range, from, to }, now) {
  if (from === '' && to === '') {
    const name = range === '' ? defaultPreset : range;
    if (!isPreset(name))
      return `"${range}" is no window; it is one of ${Object.keys(presets).join(', ')}.`;
    return withBuckets(toPresetStart(name, now), now);
  }
  const start = new Date(from);
  const end = to === '' ? now : new Date(to);
  if (Number.isNaN(start.getTime()))
    return `"from" is ${from === '' ? 'missing' : `no time: ${from}`}; it is like ${example}.`;
  if (Number.isNaN(end.getTime())) return `"to" is no time: ${to}; it is like ${example}.`;
  if (start >= end) return 'The window ends before it begins.';
  return withBuckets(start, end);
}

const example = '2026-11-03 or 2026-11-03T14:00:00Z';

/**
 * @param {PresetName} name
 * @param {Date} now
 */
function toPresetStart(name, now) {
  const preset = presets[name];
  if ('hours' in preset) {
    return new Date(Math.floor(now.getTime() / hourMs) * hourMs - (preset.hours - 1) * hourMs);
  }
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() - preset.days + 1);
  return start;
}

const maxBuckets = 64;
const granularitiesS = [60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800];

/**
 * @param {Date} start
 * @param {Date} end
 * @returns {TimeWindow}
 */
function withBuckets(start, end) {
  const seconds = (end.getTime() - start.getTime()) / 1_000;
  const granularityS =
    granularitiesS.find((each) => seconds / each <= maxBuckets) ??
    Math.ceil(seconds / maxBuckets / 86_400) * 86_400;
  return { start, end, granularityS };
}

/** The longest bucket of the service, of 366 days: a window is in one or two of them. */
const maxGranularityS = 31_622_400;

/**
 * The same window with fewer buckets; those at its ends may be there in part.
 * @param {TimeWindow} window
 * @param {number} buckets at most, if that is possible
 * @returns {TimeWindow}
 */
export function toWiderBuckets(window, buckets) {
  const seconds = (window.end.getTime() - window.start.getTime()) / 1_000;
  const granularityS =
    granularitiesS.find((each) => seconds / each + 2 <= buckets) ?? maxGranularityS;
  return { ...window, granularityS };
}

/** A window that can be made smaller by a click on a bucket of it. */
export const minGranularityS = 60;
