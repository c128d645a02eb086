import type { Handler } from '../route.ts';
import { JsonText } from '../send-answer.ts';
import { digestJson } from './weave-digest.ts';

/*
 * SDKs make tables of datasets. An SDK creates a table, queries its rows at once, and from then on refers to the
 * rows by their digests; without an answer, the op fails that got the dataset. So the digest of a table contains its
 * number of rows, and the digests of the rows follow from it: nothing has to be stored.
 */

/** Answers the digests of a table and of its rows. */
export const createTable: Handler<'TableCreateReq'> = ({ body: { table } }) => {
  const digest = toTableDigest(table.rows);
  const row_digests = table.rows.map((_row, index) => toRowDigest(digest, index));
  return { digest, row_digests };
};

/** Answers the digests of the rows of a table; a digest that {@link createTable} did not make has no rows. */
export const queryTable: Handler<'TableQueryReq'> = ({ body: { digest, limit, offset } }) => {
  const start = offset ?? 0;
  const end = Math.min(start + (limit ?? Infinity), rowCountOf(digest));
  return new JsonText(toRowsAnswer(digest, start, end));
};

/** Base-36 digits of a row count. */
const countDigits = 4;

/** 43 letters and digits, as every digest: the rows' digest, their count, and a checksum of both. */
function toTableDigest(rows: readonly unknown[]): string {
  const count = rows.length.toString(36).padStart(countDigits, '0');
  const body = `${digestJson(rows).slice(0, 35)}${count}`;
  return `${body}${toChecksum(body)}`;
}

function toChecksum(body: string): string {
  return digestJson(body).slice(0, 4);
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
