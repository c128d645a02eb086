/** What test/oracle/check-mutations.ts breaks on purpose, one at a time. */
export interface Mutation {
  readonly name: string;
  readonly changes: readonly Change[];
  /** It is caught, too, when ClickHouse gives up. */
  readonly mayFail?: boolean;
}

/** Replaces every place in a file; it must be there. */
interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const general = 'sql/queries/calls_usage.sql';
const plain = 'sql/queries/calls_usage_plain.sql';

function inBoth(find: string, replace: string): Change[] {
  return [general, plain].map((file) => ({ file, find, replace }));
}

export const mutations: readonly Mutation[] = [
  {
    name: 'repeated parts are added up: no FINAL',
    changes: inBoth('FROM calls FINAL', 'FROM calls'),
  },
  {
    name: 'no project filter',
    changes: [
      {
        file: general,
        find: 'WHERE calls.project_id = {project_id:String}',
        replace: "WHERE calls.project_id != ''",
      },
      {
        file: plain,
        find: 'WHERE project_id = {project_id:String}\n        AND trace_id IN',
        replace: "WHERE project_id != ''\n        AND trace_id IN",
      },
    ],
  },
  {
    name: 'no own usage: what is stored is summed',
    changes: [{ file: general, find: '-toInt128(n)', replace: 'toInt128(0)' }],
  },
  {
    name: 'no bound for cycles',
    changes: inBoth('        AND l.step < l.last_step\n', ''),
    mayFail: true,
  },
  {
    name: 'the latest price, whenever the call was',
    changes: inBoth('from_us <= period_us', 'true'),
  },
  {
    name: 'deleted calls count',
    changes: [
      { file: general, find: 'WHERE NOT is_deleted', replace: 'WHERE true' },
      { file: plain, find: '        AND NOT is_deleted\n', replace: '' },
    ],
  },
  {
    name: 'deleted children stay in their parents',
    changes: [
      {
        file: general,
        find: '            AND calls.has_start\n',
        replace: '            AND calls.has_start\n            AND NOT calls.is_deleted\n',
      },
    ],
  },
  {
    name: 'ends without a trace id are lost',
    changes: [
      {
        file: general,
        find: 'SELECT key, usage\n            FROM loose_ends',
        replace: 'SELECT key + 1 AS key, usage\n FROM loose_ends',
      },
    ],
  },
  {
    name: 'a call without its start is there',
    changes: [{ file: plain, find: '        AND has_start\n', replace: '' }],
  },
  {
    name: 'default prices before those of the project',
    changes: inBoth('            is_project,\n', '            NOT is_project,\n'),
  },
  {
    name: 'cached tokens are priced twice',
    changes: inBoth('used.prompt - used.cache_read - used.cache_creation', 'used.prompt'),
  },
  {
    name: 'a parent in another trace is a parent',
    changes: [
      ...['trace_id, id', 'trace_id, parent_id'].map((find) => ({
        file: 'sql/migrations/0001_calls.sql',
        find: `sipHash128(${find})`,
        replace: `sipHash128(${find.replace('trace_id', "''")})`,
      })),
      ...inBoth('sipHash128(known.trace_id, named.id)', "sipHash128('', named.id)"),
    ],
  },
];
