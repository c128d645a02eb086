import { priceMutations } from './price-mutations.ts';

/** Breaks the service in one way, to test that the forests of test/oracle/forests.test.ts, or other tests, notice it. */
export interface Mutation {
  readonly name: string;
  readonly changes: readonly Change[];
  /** Whether a query that ClickHouse refuses or aborts counts as caught; otherwise only a wrong answer does. */
  readonly mayFail?: boolean;
  /** The tests that have to notice it, instead of the forests. */
  readonly tests?: string;
}

/** Replaces every occurrence of a text in a file, which must contain it. */
interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const [treeWalk, flatSum, rolledUpFlatSum] = [
  'usage_tree_walk',
  'usage_flat_sum',
  'usage_flat_sum_rolled_up',
].map((name) => `sql/queries/usage/${name}.sql`) as [string, string, string];
const requestedTraces = 'sql/queries/fragments/from_requested_traces.sql';
const needsTreeWalk = 'sql/queries/fragments/needs_tree_walk.sql';
const migration = 'sql/migrations/0005_calls_in_small_blocks.sql';

export const mutations: readonly Mutation[] = [
  ...priceMutations,
  {
    name: 'repeated parts are counted twice: no FINAL',
    changes: [{ file: requestedTraces, find: 'FROM calls FINAL', replace: 'FROM calls' }],
  },
  {
    name: 'calls of all projects are read',
    changes: [
      {
        file: requestedTraces,
        find: 'WHERE project_id = {project_id:String}',
        replace: "WHERE project_id != ''",
      },
    ],
  },
  {
    name: 'usage of rolled-up children is not subtracted',
    changes: [
      { file: treeWalk, find: 'toInt128(stored) - of_children', replace: 'toInt128(stored)' },
      {
        file: rolledUpFlatSum,
        find: 'toInt128(n) * sign',
        replace: 'if(sign > 0, toInt128(n), 0)',
      },
    ],
  },
  {
    name: 'tree walk: usage that was never added is subtracted',
    changes: [
      {
        file: treeWalk,
        find: 'AND NOT arrayExists(own -> arrayMin(own) < 0, differences)',
        replace: '',
      },
      {
        file: treeWalk,
        find: 'toInt128(stored) - of_children',
        replace: 'greatest(0, toInt128(stored) - of_children)',
      },
    ],
  },
  {
    name: 'flat sum: usage that was never added is subtracted',
    changes: [{ file: rolledUpFlatSum, find: ' OR arrayMin(own) < 0', replace: '' }],
  },
  {
    name: 'tree walk: cycles have no last step',
    changes: [{ file: treeWalk, find: '        AND call.step < call.last_step\n', replace: '' }],
    mayFail: true,
  },
  {
    name: 'the latest price applies, whenever the call started',
    changes: inAllUsageQueries('from_us <= period_us', 'true'),
  },
  {
    name: 'tree walk: deleted calls are counted',
    changes: [{ file: treeWalk, find: '            AND NOT is_deleted\n', replace: '' }],
  },
  {
    name: 'flat sum: deleted calls are counted',
    changes: [{ file: needsTreeWalk, find: 'call.is_deleted OR ', replace: '' }],
  },
  {
    name: 'usage of deleted children is not subtracted',
    changes: [
      {
        file: treeWalk,
        find: '            AND is_rolled_up\n',
        replace: '            AND is_rolled_up AND NOT is_deleted\n',
      },
    ],
  },
  {
    name: 'flat sum: calls with a missing parent are counted',
    changes: [{ file: needsTreeWalk, find: '(parent_call.key = 0 OR ', replace: '(' }],
  },
  {
    name: 'flat sum: a trace may have several roots',
    changes: [{ file: 'src/usage/query-usage.ts', find: 'count === 1', replace: 'count >= 1' }],
  },
  {
    name: 'orphan ends are not repaired',
    changes: [
      {
        file: 'src/usage/read-repair.ts',
        find: "if (found?.orphan_ends === '0') return false;",
        replace: 'return found === undefined;',
      },
    ],
  },
  {
    name: 'default prices precede those of the project',
    changes: inAllUsageQueries('pricing_level DESC', 'pricing_level ASC'),
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
    name: 'a call of another trace can be a parent',
    changes: [
      ...['trace_id, id', 'trace_id, parent_id'].map((find) => ({
        file: migration,
        find: `sipHash128(${find})`,
        replace: `sipHash128(${find.replace('trace_id', "''")})`,
      })),
      { file: treeWalk, find: 'sipHash128(trace_id, id)', replace: "sipHash128('', id)" },
    ],
  },
];

function inAllUsageQueries(find: string, replace: string): Change[] {
  return [treeWalk, flatSum, rolledUpFlatSum].map((file) => ({ file, find, replace }));
}
