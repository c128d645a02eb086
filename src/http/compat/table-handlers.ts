import { createHash } from 'node:crypto';
import { apiErrors } from '../api-errors.ts';
import type { JsonItems } from '../body/json-body.ts';
import type { JsonRule } from '../body/json-copier.ts';
import type { Handler } from '../route.ts';
import { JsonText } from '../send-answer.ts';
import { nestingIssues } from '../validation/extra-validations.ts';
import { toIssue } from '../validation/issues.ts';
import { toCanonicalJson, toWeaveDigest } from './weave-digest.ts';

/*
 * SDKs make tables of datasets. An SDK creates a table, queries its rows at once, and from then on refers to the
 * rows by their digests; without an answer, the op fails that got the dataset. So the digest of a table contains its
 * number of rows, and the digests of the rows follow from it: nothing has to be stored.
 */

/** The rows of a table are handed over one by one. */
export const tableRule: JsonRule = {
  members: { table: { members: { rows: { items: {} } } } },
};

/** The rows of a new table. Each is added to the digest of all rows as it arrives, and nothing is held. */
export class TableRows implements JsonItems {
  readonly heldBytes = 0;
  readonly #maxRows: number;
  #hash = createHash('sha256');
  #count = 0;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  startItems(): void {
    this.#hash = createHash('sha256');
    this.#count = 0;
  }

  item(text: string | undefined): void {
    this.#count += 1;
    if (this.#count > this.#maxRows) throw tooManyRows(this.#maxRows, this.#count);
    if (text === undefined) {
      throw apiErrors.tooLarge(
        `Row ${this.#count} of the table has more bytes or values than ITEM_LIMIT_MB or ITEM_MAX_VALUES.`,
      );
    }
    const row = JSON.parse(text) as unknown;
    const issues = nestingIssues({ rows: [row] }, ['body', 'table']);
    if (issues.length > 0) throw apiErrors.invalid(issues);
    this.#hash.update(`${this.#count === 1 ? '[' : ','}${toCanonicalJson(row)}`);
  }

  /** The digests of the table and of its rows; to be called once, when the whole body was read. */
  toAnswer(): JsonText {
    this.#hash.update(this.#count === 0 ? '[]' : ']');
    const digest = toTableDigest(toWeaveDigest(this.#hash), this.#count);
    return new JsonText(toTableAnswer(digest, this.#count));
  }
}

function tooManyRows(maximum: number, actual: number): Error {
  const at = ['body', 'table', 'rows'];
  return apiErrors.invalid([toIssue('too_long', at, { what: 'List', maximum, actual })]);
}

/** Answers the digests of the rows of a table; a digest that {@link TableRows} did not make has no rows. */
export const queryTable: Handler<'TableQueryReq'> = ({ body: { digest, limit, offset } }) => {
  const start = offset ?? 0;
  const end = Math.min(start + (limit ?? Infinity), rowCountOf(digest));
  return new JsonText(toRowsAnswer(digest, start, end));
};

/** Base-36 digits of a row count. */
const countDigits = 4;

/** 43 letters and digits, as every digest: the rows' digest, their count, and a checksum of both. */
function toTableDigest(rowsDigest: string, rowCount: number): string {
  const count = rowCount.toString(36).padStart(countDigits, '0');
  const body = `${rowsDigest.slice(0, 35)}${count}`;
  return `${body}${toChecksum(body)}`;
}

function toChecksum(body: string): string {
  return toWeaveDigest(createHash('sha256').update(JSON.stringify(body))).slice(0, 4);
}

/** @returns 0 for a digest that {@link toTableDigest} did not make */
function rowCountOf(digest: string): number {
  const [, body = '', count = '', checksum] =
    /^([A-Za-z0-9]{35}([0-9a-z]{4}))([A-Za-z0-9]{4})$/.exec(digest) ?? [];
  return checksum === toChecksum(body) ? Number.parseInt(count, 36) : 0;
}

function toRowDigest(tableDigest: string, index: number): string {
  const digits = index.toString(36).padStart(countDigits, '0');
  return `${tableDigest.slice(0, -countDigits)}${digits}`;
}

/** An answer may be far larger than its request, so it is written in chunks, of about 16 KiB. */
const rowsPerChunk = 150;

function* toTableAnswer(digest: string, count: number): Generator<string> {
  yield `{"digest":"${digest}","row_digests":[`;
  for (let from = 0; from < count; from += rowsPerChunk) {
    const length = Math.min(rowsPerChunk, count - from);
    const digests = Array.from({ length }, (_, index) => `"${toRowDigest(digest, from + index)}"`);
    yield `${from === 0 ? '' : ','}${digests.join(',')}`;
  }
  yield ']}';
}

function* toRowsAnswer(digest: string, start: number, end: number): Generator<string> {
  yield '{"rows":[';
  for (let from = start; from < end; from += rowsPerChunk) {
    const length = Math.min(rowsPerChunk, end - from);
    const rows = Array.from({ length }, (_, index) =>
      JSON.stringify({
        digest: toRowDigest(digest, from + index),
        val: null,
        original_index: from + index,
      }),
    );
    yield `${from === start ? '' : ','}${rows.join(',')}`;
  }
  yield ']}';
}
