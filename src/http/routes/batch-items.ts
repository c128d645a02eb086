import type { PartAnswer } from '../../ingest/part.ts';
import type { Location, ValidationIssue } from '../validation/issues.ts';
import type { Validator } from '../validation/validator.ts';

/** What came of one item of a batch: a part to store, or why it can never be stored. */
export type Checked<T> = { readonly part: T } | { readonly issues: readonly ValidationIssue[] };

/** What a client is told of the items that were dropped; nothing when none was. */
export interface DroppedReport {
  readonly dropped?: readonly {
    readonly index: number;
    readonly detail: readonly ValidationIssue[];
  }[];
  readonly num_dropped?: number;
}

/** Dropped items that are told one by one; more would make a huge answer to a huge wrong body. */
const maxReported = 1_000;

/** Checks one item and turns it into a part. */
export function checkItem<T, P>(
  validator: Validator<T>,
  item: unknown,
  at: Location,
  toPart: (value: T) => P,
): Checked<P> {
  const issues = validator.findIssues(item, at);
  return issues.length > 0 ? { issues } : { part: toPart(item as T) };
}

/** The parts of a batch that can be stored, in order. */
export function partsOf<P>(items: readonly Checked<P>[]): P[] {
  return items.flatMap((item) => ('part' in item ? [item.part] : []));
}

/** The same items without what was in them. */
export function withoutParts(items: readonly Checked<unknown>[]): Checked<undefined>[] {
  return items.map((item) => ('part' in item ? { part: undefined } : item));
}

/** Which items were dropped, and why. */
export function reportDropped(items: readonly Checked<unknown>[]): DroppedReport {
  const dropped = items.flatMap((item, index) =>
    'issues' in item ? [{ index, detail: item.issues }] : [],
  );
  if (dropped.length === 0) return {};
  return { dropped: dropped.slice(0, maxReported), num_dropped: dropped.length };
}

/** One answer per item: what the store said of its part, `{}` for a dropped one. */
export function alignAnswers(
  items: readonly Checked<unknown>[],
  answers: readonly PartAnswer[],
): PartAnswer[] {
  const left = answers[Symbol.iterator]();
  return items.map((item) => ('part' in item ? (left.next().value ?? {}) : {}));
}
