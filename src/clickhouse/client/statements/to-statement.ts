import { randomUUID } from 'node:crypto';
import type { Steps } from '../../../slices/run-in-slices.ts';
import type { BoundQuery } from './bind-parameters.ts';

/** A statement as the client's `exec` takes it. */
export interface Statement {
  /** The body of the request. */
  readonly query: string;
  /** Values for the URL. */
  readonly query_params: Readonly<Record<string, unknown>>;
  readonly http_headers: Readonly<Record<string, string>>;
}

/** Values with less text, in UTF-16 units, are part of the URL, where each may become nine characters. */
const maxUrlUnits = 400;

/**
 * Writes the request of a query. Long values are fields of a form: proxies refuse long URLs. The client can do that,
 * too, but takes a second for 200,000 ids, and nothing else runs meanwhile.
 */
export function* toStatement({ text, values }: BoundQuery, format: string): Steps<Statement> {
  const query = `${text}\nFORMAT ${format}`;
  const fields = yield* toFields(values);
  const length = fields.reduce((sum, [, value]) => sum + value.length, 0);
  if (length <= maxUrlUnits) return { query, query_params: values, http_headers: {} };
  const inForm = new Set(fields.map(([name]) => name));
  const others = Object.entries(values).filter(([name]) => !inForm.has(`param_${name}`));
  const boundary = `calls-usage-${randomUUID()}`;
  const parts = [['query', query], ...fields].map(
    ([name = '', value = '']) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return {
    query: `${parts.join('')}--${boundary}--`,
    query_params: Object.fromEntries(others),
    http_headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

/** The values that may be long, as ClickHouse reads them. */
function* toFields(values: BoundQuery['values']): Steps<(readonly [string, string])[]> {
  const fields: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(values)) {
    const field = `param_${name}`;
    if (typeof value === 'string') fields.push([field, escape(value)]);
    else if (isSimpleArray(value)) fields.push([field, `[${value.map(toElement).join()}]`]);
    yield;
  }
  return fields;
}

/** Other types are left to the client. */
function isSimpleArray(value: unknown): value is (string | bigint)[] {
  return (
    Array.isArray(value) &&
    value.every((element) => typeof element === 'string' || typeof element === 'bigint')
  );
}

function toElement(value: string | bigint): string {
  return typeof value === 'string' ? `'${escape(value)}'` : String(value);
}

function escape(text: string): string {
  return text.replace(/[\t\n\r'\\]/g, (character) => escapes[character] ?? character);
}

const escapes: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  "'": "\\'",
  '\\': '\\\\',
};
