import type { UsageExportQuery } from '../../openapi-types.ts';
import type { TimeBucket } from '../stats/time-buckets.ts';
import type { Decimal, ExportGroup, ExportRow } from './export-rows.ts';
import { toFocusColumns } from './focus-columns.ts';
import { ParquetFile } from './parquet-file.ts';

/** A value of a column. */
export type ExportValue = string | bigint | Decimal | TimeBucket | boolean | null;

/** How the rows of an export are written. */
interface ExportFormat {
  readonly contentType: string;
  readonly fileExtension: string;
  readonly begin: (names: readonly ExportGroup[]) => ExportFile;
}

/** One file, in the order in which it is written. */
export interface ExportFile {
  readonly header: Uint8Array;
  /** Rows of the file; called for one project after the other. */
  readonly toFragments: (rows: Iterable<ExportRow | undefined>) => FileFragments;
  readonly end: () => Uint8Array;
}

/** Pieces of a file; undefined where there was work without a piece. */
export type FileFragments = Generator<string | Uint8Array | undefined, void, undefined>;

export const exportFormats: Readonly<Record<UsageExportQuery['format'], ExportFormat>> = {
  csv: csvOf(toColumns),
  jsonl: {
    contentType: 'application/jsonl',
    fileExtension: 'jsonl',
    begin: (names) => linesOf('', (row) => toJsonLine(toColumns(row, names))),
  },
  parquet: {
    contentType: 'application/vnd.apache.parquet',
    fileExtension: 'parquet',
    begin: (names) => new ParquetFile(toColumns, names),
  },
  focus: csvOf(toFocusColumns),
};

/** A column with its value; the row is undefined where only names are of use. */
export type ToColumns = (
  row: ExportRow | undefined,
  names: readonly ExportGroup[],
) => readonly (readonly [name: string, value: ExportValue | undefined])[];

/** The columns of all formats but FOCUS. */
function toColumns(row: ExportRow | undefined, names: readonly ExportGroup[]) {
  return [
    ['project_id', row?.projectId],
    ['bucket_start', row?.start],
    ['bucket_end', row?.end],
    ['model', row?.model],
    ...names.map((name, index) => [name, row?.groups[index]] as const),
    ['calls', row?.calls],
    ['requests', row?.requests],
    ['prompt_tokens', row?.promptTokens],
    ['completion_tokens', row?.completionTokens],
    ['total_tokens', row?.totalTokens],
    ['cache_read_input_tokens', row?.cacheReadTokens],
    ['cache_creation_input_tokens', row?.cacheCreationTokens],
    ['cost_usd', row?.cost],
    ['is_lower_bound', row?.isLowerBound],
    ['unpriced_requests', row?.unpricedRequests],
    ['unpriced_tokens', row?.unpricedTokens],
  ] as const;
}

function csvOf(toColumns: ToColumns): ExportFormat {
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    fileExtension: 'csv',
    begin: (names) =>
      linesOf(toCsvLine(toColumns(undefined, names).map(([name]) => name)), (row) =>
        toCsvLine(toColumns(row, names).map(([, value]) => value ?? null)),
      ),
  };
}

function linesOf(header: string, toLine: (row: ExportRow) => string): ExportFile {
  return {
    header: Buffer.from(header),
    *toFragments(rows) {
      for (const row of rows) yield row && toLine(row);
    },
    end: () => new Uint8Array(),
  };
}

/** RFC 4180. Text is always quoted, so that an empty text is not null, and readers keep spaces around it. */
function toCsvLine(values: readonly ExportValue[]): string {
  const fields = values.map((value) => {
    if (value === null) return '';
    const text = typeof value === 'object' && 'startS' in value ? toText(value) : value;
    if (typeof text === 'string') return `"${text.replaceAll('"', '""')}"`;
    return typeof text === 'object' ? toText(text) : String(text);
  });
  return `${fields.join(',')}\r\n`;
}

/** Integers are numbers with all their digits, decimals are text. */
function toJsonLine(columns: ReturnType<ToColumns>): string {
  const members = columns.map(([name, value = null]) => `"${name}":${toJson(value)}`);
  return `{${members.join(',')}}\n`;
}

function toJson(value: ExportValue): string {
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value !== null && typeof value === 'object' ? toText(value) : value);
}

/** Timestamps of statistics have no offset in UTC. */
function toText(value: Decimal | TimeBucket): string {
  if ('text' in value) return value.text;
  const { timestamp } = value;
  return timestamp.length === '2026-01-31T00:00:00'.length ? `${timestamp}Z` : timestamp;
}
