import type { PartAnswer } from '../../ingest/part.ts';
import type { Location, ValidationIssue } from '../validation/issues.ts';
import type { Schema } from '../validation/openapi.ts';
import type { Validator } from '../validation/validator.ts';

/** A validated item of a batch: a part to insert, or the issues for which the item is dropped. */
export type Checked<T> = { readonly part: T } | { readonly issues: readonly ValidationIssue[] };

/** Dropped items that are reported; an answer with all of them could be larger than the body. */
const maxReported = 1_000;

/** Validates an item and converts it into a part. */
export function checkItem<T, P>(
  validator: Validator<T>,
  item: unknown,
  at: Location,
  toPart: (value: T) => P,
): Checked<P> {
  const issues = validator.findIssues(item, at);
  return issues.length > 0 ? { issues } : { part: toPart(item as T) };
}

/** The valid parts of a batch, in order. */
export function partsOf<P>(items: readonly Checked<P>[]): P[] {
  return items.flatMap((item) => ('part' in item ? [item.part] : []));
}

/** The same items without their parts, which may be large. */
export function withoutParts(items: readonly Checked<unknown>[]): Checked<undefined>[] {
  return items.map((item) => ('part' in item ? { part: undefined } : item));
}

/** Which items were dropped, and why; empty if none was. */
export function reportDropped(
  items: readonly Checked<unknown>[],
): Schema<'CallsUpsertCompleteRes'> {
  const dropped = items.flatMap((item, index) =>
    'issues' in item ? [{ index, detail: item.issues }] : [],
  );
  if (dropped.length === 0) return {};
  return { dropped: dropped.slice(0, maxReported), num_dropped: dropped.length };
}

/** One answer per item: that of its part, or `{}` if it was dropped. */
export function alignAnswers(
  items: readonly Checked<unknown>[],
  answers: readonly PartAnswer[],
): PartAnswer[] {
  const remaining = answers[Symbol.iterator]();
  return items.map((item) => ('part' in item ? (remaining.next().value ?? {}) : {}));
}
