import type { StoredServiceTier } from '../service-tier.ts';
import type { PriceRow } from './price-row.ts';

/** What decides which price of a model applies to a call. All calls of a class have the same price. */
export interface PriceClass {
  /** The latest of the price dates that is not after the start of the call, in microseconds since 1970. */
  readonly periodUs: bigint;
  /** The largest of the prompt sizes that is smaller than the prompt of one request; the smallest one if none is. */
  readonly promptSize: bigint;
  readonly serviceTier: StoredServiceTier;
  /** The latest of the price minutes that is not after the start of the call, in minutes since Monday 00:00 UTC. */
  readonly minuteOfWeek: number;
}

/** The rows of one name. */
export interface NameRows {
  readonly project: readonly PriceRow[];
  readonly default: readonly PriceRow[];
}

/**
 * Chooses the row that applies to calls of a class.
 *
 * Where the project has a price in force, default prices of the name do not exist: a row of the project with a condition,
 * such as a service tier, then leaves the other calls without a price.
 * @returns undefined if no row applies; null if none applies because the project's prices replace the default ones
 */
export function chooseRow(
  { project, default: defaults }: NameRows,
  at: PriceClass,
): PriceRow | null | undefined {
  const best = findBest(project, at, undefined);
  if (project.some((row) => row.effectiveUs <= at.periodUs)) return best ?? null;
  return findBest(defaults, at, best);
}

function findBest(
  rows: readonly PriceRow[],
  at: PriceClass,
  start: PriceRow | undefined,
): PriceRow | undefined {
  let best = start;
  for (const row of rows) {
    if (applies(row, at) && (best === undefined || isBetter(row, best, at))) best = row;
  }
  return best;
}

function applies(row: PriceRow, at: PriceClass): boolean {
  return (
    (row.promptTokensAbove === 0n || row.promptTokensAbove <= at.promptSize) &&
    (row.serviceTier === '' || row.serviceTier === at.serviceTier) &&
    (row.minutesOfWeek.length === 0 ||
      row.minutesOfWeek.some(({ start, end }) => start <= at.minuteOfWeek && at.minuteOfWeek < end))
  );
}

/** The documented order (docs/prices.md): the first of these that differs decides. */
function isBetter(a: PriceRow, b: PriceRow, { periodUs }: PriceClass): boolean {
  const isInForce = a.effectiveUs <= periodUs;
  if (isInForce !== b.effectiveUs <= periodUs) return isInForce;
  if (a.level !== b.level) return a.level === 'project';
  if (a.effectiveUs !== b.effectiveUs) return a.effectiveUs > b.effectiveUs === isInForce;
  if (a.serviceTier !== b.serviceTier) return a.serviceTier !== '';
  const hasHours = a.minutesOfWeek.length > 0;
  if (hasHours !== b.minutesOfWeek.length > 0) return hasHours;
  if (a.promptTokensAbove !== b.promptTokensAbove) return a.promptTokensAbove > b.promptTokensAbove;
  if (a.createdUs !== b.createdUs) return a.createdUs > b.createdUs;
  // Of two names of a model, the one that the price book gives comes first and stays.
  return a.llmId === b.llmId && a.id > b.id;
}
