import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from 'express';
import { requireProjects, requireScope } from '../auth/require-key.ts';
import { readJsonBody } from '../validation/json-body.ts';
import { digestJson } from './digest.ts';
import { freeFormJsonIssues } from '../validation/free-form-json.ts';
import type { OpenApi } from '../validation/openapi.ts';
import type { Route } from '../routes/route.ts';
import { isRecord } from '../validation/validator.ts';

interface TableRouteOptions {
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
}

/**
 * Tables, which SDKs make of datasets: answered with digests, not stored.
 *
 * An SDK sends a table, asks for its rows at once, and names the rows by their digests from then on; without
 * that the op fails that is given a dataset. So a table's digest holds how many rows it has, and those of the
 * rows follow from it.
 */
export function tableRoutes({ openApi, bodyLimitBytes }: TableRouteOptions): Route[] {
  const write = (path: string, handler: RequestHandler): Route => ({
    method: 'post',
    path,
    handlers: [requireScope('write'), ...readJsonBody(bodyLimitBytes), handler],
  });
  return [write('/table/create', digestTable(openApi)), write('/table/query', listRows(openApi))];
}

interface TableRequest {
  readonly table: { readonly project_id: string; readonly rows: readonly unknown[] };
}

function digestTable(openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<TableRequest>('TableCreateReq', (value, at) =>
    isRecord(value) ? freeFormJsonIssues(value['table'], [...at, 'table']) : [],
  );
  return (request, response) => {
    const { project_id, rows } = validator.parse(request.body, ['body']).table;
    requireProjects(response, [project_id]);
    const digest = toTableDigest(rows);
    response.json({ digest, row_digests: rows.map((_row, index) => toRowDigest(digest, index)) });
  };
}

interface TableQuery {
  readonly project_id: string;
  readonly digest: string;
  readonly limit?: number | null;
  readonly offset?: number | null;
}

function listRows(openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<TableQuery>('TableQueryReq');
  return async (request, response) => {
    const { project_id, digest, limit, offset } = validator.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    const from = offset ?? 0;
    const to = Math.min(from + (limit ?? Infinity), rowCountOf(digest));
    response.type('json');
    await pipeline(Readable.from(rowsAnswer(digest, from, to)), response);
  };
}

/** Digits in base 36 that hold any count of rows. */
const countDigits = 4;

/** 43 letters and digits like any digest: of the rows, then how many there are, then of all that. */
function toTableDigest(rows: readonly unknown[]): string {
  const count = rows.length.toString(36).padStart(countDigits, '0');
  const unchecked = `${digestJson(rows).slice(0, 35)}${count}`;
  return `${unchecked}${toCheck(unchecked)}`;
}

function toCheck(unchecked: string): string {
  return digestJson(unchecked).slice(0, 4);
}

/** @returns 0 for what {@link toTableDigest} has not made */
function rowCountOf(digest: string): number {
  const [, unchecked = '', count = '', check] =
    /^([A-Za-z0-9]{35}([0-9a-z]{4}))([A-Za-z0-9]{4})$/.exec(digest) ?? [];
  return check === toCheck(unchecked) ? Number.parseInt(count, 36) : 0;
}

function toRowDigest(tableDigest: string, index: number): string {
  const place = index.toString(36).padStart(countDigits, '0');
  return `${tableDigest.slice(0, -countDigits)}${place}`;
}

/** Rows in one piece of an answer, which may be far larger than the request. */
const rowsOfPiece = 1_000;

function* rowsAnswer(digest: string, from: number, to: number): Generator<string> {
  yield '{"rows":[';
  for (let start = from; start < to; start += rowsOfPiece) {
    const length = Math.min(rowsOfPiece, to - start);
    const rows = Array.from({ length }, (_, index) =>
      JSON.stringify({
        digest: toRowDigest(digest, start + index),
        val: null,
        original_index: start + index,
      }),
    );
    yield `${start === from ? '' : ','}${rows.join(',')}`;
  }
  yield ']}';
}
