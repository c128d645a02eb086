import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

import { removeComments } from './sql-text.ts';
import { packageUrl } from '../../../package-url.ts';

/** The files of `sql/queries` by folder, without `.sql`; a test compares this list with the folders. */
const queryFiles = {
  calls: [
    'call_details',
    'count_calls',
    'count_orphan_ends',
    'find_listed_traces',
    'find_traces',
    'has_orphan_ends',
    'list_calls',
    'list_level',
    'repair_orphan_ends',
    'stored_usage',
    'tree_calls',
  ],
  deletions: [
    'count_calls_to_delete',
    'count_deleted_payloads',
    'count_payloads',
    'delete_calls',
    'erase_deleted_payloads',
    'erase_payloads',
  ],
  limits: ['count_flat_traces', 'count_stored_rows'],
  prices: [
    'price_book_rows',
    'price_book_version',
    'price_rows',
    'price_version',
    'purge_costs',
    'query_costs',
    'used_models',
  ],
  rollups: [
    'find_traces_to_roll_up',
    'find_unrolled_traces',
    'find_valid_rollups',
    'list_parts',
    'read_rollups',
    'roll_up_empty_traces',
    'roll_up_flat_traces',
    'roll_up_traces',
    'roll_up_whole_traces',
  ],
  stats: [
    'find_projects',
    'project_counts',
    'project_counts_rollups',
    'stats_calls',
    'stats_rollups',
    'stats_traces',
    'stats_usage',
    'stats_usage_otel',
  ],
  traces: [
    'call_names',
    'find_orphan_ends',
    'list_traces',
    'live_traces',
    'settled_traces',
    'trace_price_classes',
  ],
  usage: [
    'locate_calls',
    'root_rollups',
    'trace_checksums',
    'usage_flat_sum',
    'usage_flat_sum_counted',
    'usage_flat_sum_ordered',
    'usage_flat_sum_otel',
    'usage_flat_sum_repeated',
    'usage_flat_sum_rolled_up',
    'usage_rollups',
    'usage_tree_walk',
    'usage_tree_walk_otel',
    'usage_tree_walk_otel_counted',
    'usage_tree_walk_stored',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The path of each query below `sql/queries`, by its name. */
export const queryPaths: ReadonlyMap<QueryName, string> = new Map(
  Object.entries(queryFiles).flatMap(([folder, names]) =>
    names.map((name) => [name, `${folder}/${name}.sql`] as const),
  ),
);

export type QueryName = (typeof queryFiles)[keyof typeof queryFiles][number];

/** One statement of `sql/queries`. */
export interface Query {
  readonly name: string;
  /** The statement without comments, with its fragments included. */
  readonly text: string;
  /** The type of each `{name: Type}` by its name. */
  readonly parameters: ReadonlyMap<string, string>;
}

export type Queries = ReadonlyMap<string, Query>;

/** SQL that several statements include, by its name. */
export type Fragments = ReadonlyMap<string, string>;

const queriesFolder = packageUrl('sql/queries/');

/** Matches `{name: Type}`; a type may contain parentheses, commas and spaces. */
export const placeholder = /\{\s*([A-Za-z_]\w*)\s*:\s*([^{}]+?)\s*\}/g;

/** Matches `{include name}`. */
const inclusion = /\{include (\w+)\}/g;

/**
 * Reads every query of `sql/queries`.
 * @throws if a file is missing or malformed.
 */
export function readQueries(): Queries {
  const fragments = readFragments(new URL('fragments/', queriesFolder));
  return new Map(
    Array.from(queryPaths, ([name, path]) => [
      name,
      parseQuery(name, readFileSync(new URL(path, queriesFolder), 'utf8'), fragments),
    ]),
  );
}

function readFragments(folder: URL): Fragments {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    files
      .filter((file) => file.endsWith('.sql'))
      .map((file) => [posix.basename(file, '.sql'), readFileSync(new URL(file, folder), 'utf8')]),
  );
}

/**
 * Parses one statement: removes comments, includes the fragments of `{include name}` and collects the placeholders.
 * @throws {SyntaxError} naming the query, if a parameter has two types, a quote is not closed or a fragment is unknown.
 */
export function parseQuery(name: string, sql: string, fragments: Fragments = new Map()): Query {
  const parameters = new Map<string, string>();
  const text = includeFragments(name, sql, fragments);
  for (const [, parameter = '', type = ''] of text.matchAll(placeholder)) {
    const known = parameters.get(parameter) ?? type;
    if (known !== type) {
      throw new SyntaxError(`Query ${name}: {${parameter}} is both ${known} and ${type}.`);
    }
    parameters.set(parameter, type);
  }
  return { name, text, parameters };
}

function includeFragments(name: string, sql: string, fragments: Fragments): string {
  return toStatement(name, sql).replace(inclusion, (_, fragment: string) => {
    const text = fragments.get(fragment);
    if (text === undefined)
      throw new SyntaxError(`Query ${name}: there is no fragment ${fragment}.`);
    return includeFragments(name, text, fragments);
  });
}

function toStatement(name: string, sql: string): string {
  try {
    return removeComments(sql).trim().replace(/;$/, '');
  } catch (error) {
    throw new SyntaxError(`Query ${name}: ${(error as Error).message}.`, { cause: error });
  }
}
