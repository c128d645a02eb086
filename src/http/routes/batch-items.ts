import type { PartEncoder } from '../../ingest/encode-parts.ts';
import type { Part, PartAnswer } from '../../ingest/part.ts';
import { apiErrors } from '../api-errors.ts';
import { requireProjects } from '../auth/require-key.ts';
import { coversProject, type Key } from '../auth/keys.ts';
import type { JsonItems } from '../body/json-body.ts';
import { pathProjectIssues } from '../open-request.ts';
import { type Location, toIssue, type ValidationIssue } from '../validation/issues.ts';
import type { Schema } from '../validation/openapi.ts';

/** A validated item: a part to insert, or the issues for which the item is dropped. */
export type Checked = { readonly part: Part } | { readonly issues: readonly ValidationIssue[] };

export type ItemCheck = (item: unknown, at: Location) => Checked;

/** Items of a batch that were dropped. */
export interface DroppedItems {
  /** How many there are, by the type of their first issue. */
  readonly countByType: ReadonlyMap<string, number>;
  /** Items of the batch, those that were not dropped included. */
  readonly items: number;
}

export interface BatchOptions {
  readonly check: ItemCheck;
  readonly newEncoder: () => PartEncoder;
  readonly key: Key;
  readonly pathProject: string | undefined;
  readonly maxItems: number;
}

/** Dropped items that are reported; an answer with all of them could be larger than the body. */
const maxReported = 1_000;

/** The report ends when it is longer than this, in UTF-16 units. */
const maxReportLength = 1_048_576;

/**
 * The items of a batch. As each of them arrives it is validated and written as a row, or dropped, so that nothing but
 * rows is held. Nothing is inserted before the whole body was read.
 */
export class BatchItems implements JsonItems, DroppedItems {
  readonly #options: BatchOptions;
  readonly countByType = new Map<string, number>();
  encoder: PartEncoder;
  items = 0;
  readonly #droppedIndexes = new Set<number>();
  #reported: { readonly index: number; readonly detail: readonly ValidationIssue[] }[] = [];
  #reportLength = 0;
  #forbidden: string | undefined;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.encoder = options.newEncoder();
  }

  get heldBytes(): number {
    // A reported issue takes about as much again as its text.
    return this.encoder.heldBytes + 4 * this.#reportLength;
  }

  /** Starts again: of a batch that stands twice in a body, the last one counts. */
  startItems(): void {
    this.encoder = this.#options.newEncoder();
    this.items = 0;
    this.countByType.clear();
    this.#droppedIndexes.clear();
    this.#reported = [];
    this.#reportLength = 0;
    this.#forbidden = undefined;
  }

  item(text: string | undefined, payloads: ReadonlyMap<string, Buffer>): void {
    const { maxItems, key } = this.#options;
    const at = ['body', 'batch', this.items];
    this.items += 1;
    if (this.items > maxItems) throw tooManyItems(maxItems, this.items);
    const checked = text === undefined ? itemTooLarge(at) : this.#check(text, at);
    if ('issues' in checked) {
      this.#drop(checked.issues);
      return;
    }
    const { part } = checked;
    if (!coversProject(key, part.call.project_id)) this.#forbidden ??= part.call.project_id;
    this.encoder.add(payloads.size === 0 ? part : { ...part, payloads });
  }

  /** @throws {ApiError} 403 when the key may not access the project of a part */
  requireProjects(): void {
    if (this.#forbidden !== undefined) requireProjects(this.#options.key, [this.#forbidden]);
  }

  /** Which items were dropped, and why; empty if none was. */
  reportDropped(): Schema<'CallsUpsertCompleteRes'> {
    if (this.#droppedIndexes.size === 0) return {};
    return { dropped: this.#reported, num_dropped: this.#droppedIndexes.size };
  }

  /** One answer per item: that of its part, or `{}` if it was dropped. */
  alignAnswers(answers: readonly PartAnswer[]): PartAnswer[] {
    if (this.#droppedIndexes.size === 0) return [...answers];
    const remaining = answers[Symbol.iterator]();
    return Array.from({ length: this.items }, (_, index) =>
      this.#droppedIndexes.has(index) ? {} : (remaining.next().value ?? {}),
    );
  }

  #check(text: string, at: Location): Checked {
    const { check, pathProject } = this.#options;
    const checked = check(JSON.parse(text), at);
    if ('issues' in checked) return checked;
    const { project_id } = checked.part.call;
    const issues = pathProjectIssues(pathProject, project_id, [...at, 'project_id']);
    return issues.length > 0 ? { issues } : checked;
  }

  #drop(issues: readonly ValidationIssue[]): void {
    const index = this.items - 1;
    const type = issues[0]?.type ?? '';
    this.countByType.set(type, (this.countByType.get(type) ?? 0) + 1);
    this.#droppedIndexes.add(index);
    if (this.#reported.length >= maxReported || this.#reportLength > maxReportLength) return;
    this.#reported.push({ index, detail: issues });
    this.#reportLength += JSON.stringify(issues).length;
  }
}

function tooManyItems(maximum: number, actual: number): Error {
  return apiErrors.invalid([
    toIssue('too_long', ['body', 'batch'], { what: 'List', maximum, actual }),
  ]);
}

function itemTooLarge(at: Location): Checked {
  return { issues: [toIssue('item_too_large', at)] };
}
