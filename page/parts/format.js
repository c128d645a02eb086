const integers = new Intl.NumberFormat('en-US');
const shares = new Intl.NumberFormat('en-US', {
  ...{ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 },
});
const compact = new Intl.NumberFormat('en-US', {
  notation: 'compact',
  maximumSignificantDigits: 3,
});

/** `12,345` @param {number} count */
export function toCount(count) {
  return integers.format(count);
}

/** `12.3M`, for axes @param {number} count */
export function toShortCount(count) {
  return compact.format(count);
}

/** `4.1%` @param {number} share from 0 to 1 */
export function toShare(share) {
  if (share === 1) return '100%';
  if (share > 0 && share < 0.001) return '< 0.1%';
  return shares.format(share);
}

/**
 * More digits of smaller amounts: `$12.30`, `$0.0714`, `$0.006972`. Null is `unpriced`.
 * @param {number | null} usd
 */
export function toCost(usd) {
  if (usd === null) return 'unpriced';
  if (usd === 0) return '$0';
  if (usd < 0.000001) return '< $0.000001';
  const digits = usd >= 1 ? 2 : usd >= 0.01 ? 4 : 6;
  const money = { style: /** @type {const} */ ('currency'), currency: 'USD' };
  return usd.toLocaleString('en-US', {
    ...money,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** `$0.050`, `$12.3K`, for axes @param {number} usd @param {number} digits after the point of small amounts */
export function toShortCost(usd, digits) {
  if (usd >= 10_000) return `$${toShortCount(usd)}`;
  return usd.toLocaleString('en-US', {
    ...{ style: 'currency', currency: 'USD' },
    ...{ minimumFractionDigits: digits, maximumFractionDigits: digits },
  });
}

/** `$3.00`, `$0.075`: a price per million tokens @param {number} usdPerToken */
export function toPrice(usdPerToken) {
  return (usdPerToken * 1_000_000).toLocaleString('en-US', {
    style: 'currency',
    currency: 'USD',
    maximumFractionDigits: 6,
  });
}

/** `≥ $1.20` where something has no price. @param {number | null} usd @param {boolean} isLowerBound */
export function toBoundedCost(usd, isLowerBound) {
  return isLowerBound && usd !== null ? `≥ ${toCost(usd)}` : toCost(usd);
}

/** Numbers stay on the line of their unit. */
const space = '\u00a0';

/** `1.2 s`, `3 min 20 s`, `2 h 5 min` @param {number} ms */
export function toDuration(ms) {
  if (ms < 1_000) return `${Math.round(ms)}${space}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)}${space}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return joinUnits(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return joinUnits(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return joinUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** `6 h`, `1 day`: of a bucket @param {number} seconds */
export function toLength(seconds) {
  const days = seconds / 86_400;
  if (days < 1) return toDuration(seconds * 1_000);
  return `${toCount(days)} ${days === 1 ? 'day' : 'days'}`;
}

/** @param {number} large @param {string} largeUnit @param {number} small @param {string} smallUnit */
function joinUnits(large, largeUnit, small, smallUnit) {
  const first = `${large}${space}${largeUnit}`;
  return small === 0 ? first : `${first} ${small}${space}${smallUnit}`;
}

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayYearFormat = new Intl.DateTimeFormat('en-GB', {
  ...{ day: 'numeric', month: 'short', year: 'numeric' },
});
const timeFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const secondFormat = new Intl.DateTimeFormat('en-GB', {
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
});

/** `2 Nov` @param {Date} date */
export function toDay(date) {
  return dayFormat.format(date);
}

/** `2 Nov 2026` @param {Date} date */
export function toDayOfYear(date) {
  return dayYearFormat.format(date);
}

/** `, since 2 Nov 2026`; nothing for prices that have always held. @param {string} time */
export function toSince(time) {
  const date = new Date(time);
  return date.getUTCFullYear() < 1971 ? '' : `, since ${toDayOfYear(date)}`;
}

/** `09:14` @param {Date} date */
export function toTime(date) {
  return timeFormat.format(date);
}

/** `2 Nov 09:14:07`, with the year unless it is this one @param {Date} date */
export function toMoment(date) {
  return `${toDayOfThisYear(date)} ${secondFormat.format(date)}`;
}

/** `2 Nov`, and `2 Nov 2024` in other years @param {Date} date */
export function toDayOfThisYear(date) {
  return date.getFullYear() === new Date().getFullYear() ? toDay(date) : toDayOfYear(date);
}

/** Longest text of a name that is put in the page; the rest is of no use to a reader. */
const maxNameLength = 160;

/**
 * The name of an operation without the address that SDKs put around it: `answer` of
 * `weave:///team/project/op/answer:digest`.
 * @param {string} name
 */
export function toShortName(name) {
  const op = /^weave:\/\/\/[^/]+\/[^/]+\/op\/(.+):[^:/]*$/.exec(name)?.[1] ?? name;
  const visible = op.trim() === '' ? '(no name)' : op;
  return visible.length > maxNameLength ? `${visible.slice(0, maxNameLength)}…` : visible;
}

/** The text of a tooltip. @param {string} name */
export function toTitle(name) {
  return name.length > 1_000
    ? `${name.slice(0, 1_000)}… (${toCount(name.length)} characters)`
    : name;
}
