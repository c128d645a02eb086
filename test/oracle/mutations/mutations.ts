/** What test/oracle/mutations/check-mutations.ts breaks on purpose, one at a time. */
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

const [tree, roots, rolledUpRoots] = [
  'usage_tree_walk',
  'usage_flat_sum',
  'usage_flat_sum_rolled_up',
].map((name) => `sql/queries/usage/${name}.sql`) as [string, string, string];
const requestedTraces = 'sql/queries/fragments/from_requested_traces.sql';
const needsTreeWalk = 'sql/queries/fragments/needs_tree_walk.sql';
const migration = 'sql/migrations/0005_calls_in_small_blocks.sql';

function inAll(find: string, replace: string): Change[] {
  return [tree, roots, rolledUpRoots].map((file) => ({ file, find, replace }));
}

export const mutations: readonly Mutation[] = [
  {
    name: 'repeated parts are added up: no FINAL',
    changes: [{ file: requestedTraces, find: 'FROM calls FINAL', replace: 'FROM calls' }],
  },
  {
    name: 'no project filter',
    changes: [
      {
        file: requestedTraces,
        find: 'WHERE project_id = {project_id:String}',
        replace: "WHERE project_id != ''",
      },
    ],
  },
  {
    name: 'no own usage: what is stored is summed',
    changes: [
      { file: tree, find: 'toInt128(stored) - of_children', replace: 'toInt128(stored)' },
      { file: rolledUpRoots, find: 'toInt128(n) * sign', replace: 'if(sign > 0, toInt128(n), 0)' },
    ],
  },
  {
    name: 'what was never added is taken out, in trees',
    changes: [
      {
        file: tree,
        find: 'AND NOT arrayExists(own -> arrayMin(own) < 0, differences)',
        replace: '',
      },
      {
        file: tree,
        find: 'toInt128(stored) - of_children',
        replace: 'greatest(0, toInt128(stored) - of_children)',
      },
    ],
  },
  {
    name: 'what was never added is taken out, in whole traces',
    changes: [{ file: rolledUpRoots, find: ' OR arrayMin(own) < 0', replace: '' }],
  },
  {
    name: 'no bound for cycles',
    changes: [{ file: tree, find: '        AND call.step < call.last_step\n', replace: '' }],
    mayFail: true,
  },
  {
    name: 'the latest price, whenever the call was',
    changes: inAll('from_us <= period_us', 'true'),
  },
  {
    name: 'deleted calls count, in trees',
    changes: [{ file: tree, find: '            AND NOT is_deleted\n', replace: '' }],
  },
  {
    name: 'deleted calls count, in whole traces',
    changes: [{ file: needsTreeWalk, find: 'call.is_deleted OR ', replace: '' }],
  },
  {
    name: 'deleted children stay in their parents',
    changes: [
      {
        file: tree,
        find: '            AND is_rolled_up\n',
        replace: '            AND is_rolled_up AND NOT is_deleted\n',
      },
    ],
  },
  {
    name: 'a trace is whole though a parent is missing',
    changes: [{ file: needsTreeWalk, find: '(parent_call.key = 0 OR ', replace: '(' }],
  },
  {
    name: 'a trace is whole though it has several roots',
    changes: [{ file: 'src/usage/query-usage.ts', find: 'count === 1', replace: 'count >= 1' }],
  },
  {
    name: 'ends without a trace id are lost',
    changes: [
      {
        file: 'src/usage/read-repair.ts',
        find: "if (found?.orphan_ends === '0') return false;",
        replace: 'return found === undefined;',
      },
    ],
  },
  {
    name: 'default prices before those of the project',
    changes: inAll('pricing_level DESC', 'pricing_level ASC'),
  },
  {
    name: 'cached tokens are priced twice',
    changes: [
      {
        file: migration,
        find: 'toUInt64(used.prompt - used.cache_read - used.cache_creation)',
        replace: 'used.prompt',
      },
    ],
  },
  {
    name: 'a parent in another trace is a parent',
    changes: [
      ...['trace_id, id', 'trace_id, parent_id'].map((find) => ({
        file: migration,
        find: `sipHash128(${find})`,
        replace: `sipHash128(${find.replace('trace_id', "''")})`,
      })),
      { file: tree, find: 'sipHash128(trace_id, id)', replace: "sipHash128('', id)" },
    ],
  },
];
