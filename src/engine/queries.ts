import { readFileSync } from 'node:fs';

import { withoutComments } from './sql-text.ts';

/** The files of `sql/queries`, without `.sql`, in alphabetical order; a test compares the two. */
export const queryNames = [
  'attach_loose_ends',
  'calls_usage',
  'calls_usage_rolled_up_roots',
  'calls_usage_roots',
  'costs',
  'count_calls_to_delete',
  'default_prices',
  'delete_calls',
  'loose_ends_of_calls',
  'price_book_version',
  'price_changes',
  'purge_costs',
  'requested_calls',
  'resolve_costs',
  'traces_of_calls',
  'unpriced_models',
] as const satisfies readonly string[];

export type QueryName = (typeof queryNames)[number];

/** One question to ClickHouse, as its file states it. */
export interface Query {
  readonly name: string;
  /** The statement, without comments. */
  readonly text: string;
  /** The type of each `{name: Type}` by its name. */
  readonly parameters: ReadonlyMap<string, string>;
}

export type Queries = ReadonlyMap<string, Query>;

const queriesFolder = new URL('../../sql/queries/', import.meta.url);

/** Finds `{name: Type}`; a type may hold parentheses, commas and spaces. */
export const placeholder = /\{\s*([A-Za-z_]\w*)\s*:\s*([^{}]+?)\s*\}/g;

/**
 * Reads every query of {@link queryNames}.
 * @throws when a file is missing or malformed.
 */
export function readQueries(): Queries {
  return new Map(
    queryNames.map((name: string) => {
      const sql = readFileSync(new URL(`${name}.sql`, queriesFolder), 'utf8');
      return [name, parseQuery(name, sql)];
    }),
  );
}

/**
 * Reads one statement and the placeholders in it.
 * @throws {SyntaxError} naming the query, when one parameter stands there with two types or a quote is not closed.
 */
export function parseQuery(name: string, sql: string): Query {
  const parameters = new Map<string, string>();
  const text = statementOf(name, sql);
  for (const [, parameter = '', type = ''] of text.matchAll(placeholder)) {
    const known = parameters.get(parameter) ?? type;
    if (known !== type) {
      throw new SyntaxError(`Query ${name}: {${parameter}} is both ${known} and ${type}.`);
    }
    parameters.set(parameter, type);
  }
  return { name, text, parameters };
}

function statementOf(name: string, sql: string): string {
  try {
    return withoutComments(sql).trim().replace(/;$/, '');
  } catch (error) {
    throw new SyntaxError(`Query ${name}: ${(error as Error).message}.`, { cause: error });
  }
}
