import type { UsageExportQuery } from '../../openapi-types.ts';
import type { Fragments } from '../usage-json.ts';
import type { Decimal, ExportGroup, ExportRow } from './export-rows.ts';
import { toFocusColumns } from './focus-columns.ts';

/** A value of a column. */
export type ExportValue = string | bigint | Decimal | boolean | null;

/** How the rows of an export are written. */
interface ExportFormat {
  readonly contentType: string;
  readonly fileExtension: string;
  /** What the file begins with. */
  readonly header: (names: readonly ExportGroup[]) => string;
  readonly toFragments: (
    rows: Iterable<ExportRow | undefined>,
    names: readonly ExportGroup[],
  ) => Fragments;
}

export const exportFormats: Readonly<Record<UsageExportQuery['format'], ExportFormat>> = {
  csv: csvOf(toColumns),
  jsonl: {
    contentType: 'application/jsonl',
    fileExtension: 'jsonl',
    header: () => '',
    toFragments: (rows, names) => writeLines(rows, (row) => toJsonLine(toColumns(row, names))),
  },
  focus: csvOf(toFocusColumns),
};

/** A column with its value; the row is undefined where only names are of use. */
export type ToColumns = (
  row: ExportRow | undefined,
  names: readonly ExportGroup[],
) => readonly (readonly [name: string, value: ExportValue | undefined])[];

/** The columns of CSV and JSON lines. */
function toColumns(row: ExportRow | undefined, names: readonly ExportGroup[]) {
  return [
    ['project_id', row?.projectId],
    ['bucket_start', row && toZonedTime(row.start.timestamp)],
    ['bucket_end', row && toZonedTime(row.end.timestamp)],
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

/** Timestamps of statistics have no offset in UTC. */
function toZonedTime(timestamp: string): string {
  return timestamp.length === '2026-01-31T00:00:00'.length ? `${timestamp}Z` : timestamp;
}

function csvOf(toColumns: ToColumns): ExportFormat {
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    fileExtension: 'csv',
    header: (names) => toCsvLine(toColumns(undefined, names).map(([name]) => name)),
    toFragments: (rows, names) =>
      writeLines(rows, (row) => toCsvLine(toColumns(row, names).map(([, value]) => value ?? null))),
  };
}

function* writeLines(
  rows: Iterable<ExportRow | undefined>,
  toLine: (row: ExportRow) => string,
): Fragments {
  for (const row of rows) yield row && toLine(row);
}

/** RFC 4180. Text is always quoted, so that an empty text is not null, and readers keep spaces around it. */
function toCsvLine(values: readonly ExportValue[]): string {
  const fields = values.map((value) => {
    if (value === null) return '';
    if (typeof value === 'string') return `"${value.replaceAll('"', '""')}"`;
    return typeof value === 'object' ? value.text : String(value);
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
  return JSON.stringify(value !== null && typeof value === 'object' ? value.text : value);
}
