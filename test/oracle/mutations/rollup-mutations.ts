import type { Mutation } from './mutations.ts';

const tests = 'test/rollups/answers.test.ts';
const ofCycles = 'test/usage/traces/cycles.test.ts';
const ofWholeTraces = 'test/sql/rollups/roll-up-whole-traces.test.ts';
const usageRollups = 'sql/queries/usage/usage_rollups.sql';
const queryRollups = 'src/usage/rollups/query-group-rollups.ts';
const rootRollups = 'src/usage/rollups/query-root-rollups.ts';
const querySettled = 'src/usage/rollups/query-settled.ts';
const findPriceClass = 'src/prices/snapshot/find-price-class.ts';
const rollUpTraces = 'sql/queries/rollups/roll_up_traces.sql';
const rollUpWholeTraces = 'sql/queries/rollups/roll_up_whole_traces.sql';
const rollupRows = 'sql/queries/fragments/rollups/rollup_rows.sql';

/** Break rollups of traces. */
export const rollupMutations: readonly Mutation[] = [
  {
    name: 'rollups: the checksum is not compared',
    changes: [
      {
        file: usageRollups,
        find: `
        AND (trace_id, checksum) IN (
            SELECT trace_id, sum(checksum)
            FROM merged_calls
            WHERE project_id = {project_id:String}
                AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
            GROUP BY trace_id)`,
        replace: '',
      },
    ],
    tests,
  },
  {
    name: 'rollups: the checksum of the trace of a root is not compared',
    changes: [
      {
        file: rootRollups,
        find: 'if (checksumOf.get(trace_id) !== checksum) continue;',
        replace: '',
      },
    ],
    tests,
  },
  {
    name: 'rollups: those of roots are used of other rules',
    changes: [
      {
        file: 'sql/queries/usage/root_rollups.sql',
        find: 'rules_version = {rules_version:UInt64}',
        replace: 'rules_version >= {rules_version:UInt64} * 0',
      },
    ],
    tests,
  },
  {
    name: 'rollups: any trace with the requested root is used',
    changes: [{ file: rootRollups, find: 'ambiguousIds.add(call_id);', replace: 'continue;' }],
    tests,
  },
  {
    name: 'rollups: a call inside a requested root counts twice',
    changes: [
      { file: querySettled, find: 'if (shared.length === 0)', replace: 'if (shared.length >= 0)' },
    ],
    tests,
  },
  {
    name: 'rollups: the calls of a root without usage are lost',
    changes: [
      {
        file: rootRollups,
        find: 'usage.sums.length === 0 ? [noSum] : usage.sums',
        replace: 'usage.sums',
      },
    ],
    tests,
  },
  {
    name: 'rollups: a price that begins inside a sum is ignored',
    changes: [
      {
        file: findPriceClass,
        find: 'if (next !== undefined && next <= last) return null;',
        replace: '',
      },
    ],
    tests,
  },
  {
    name: 'rollups: those of other rules are used',
    changes: [
      {
        file: usageRollups,
        find: 'rules_version = {rules_version:UInt64}',
        replace: 'rules_version >= {rules_version:UInt64} * 0',
      },
    ],
    tests,
  },
  {
    name: 'rollups: a price that begins inside a group is ignored',
    changes: [{ file: queryRollups, find: 'hasBoundary(price_dates,', replace: 'hasBoundary([],' }],
    tests,
  },
  {
    name: 'rollups: a prompt size inside a group is ignored',
    changes: [
      { file: queryRollups, find: 'hasBoundary(prompt_sizes,', replace: 'hasBoundary([],' },
    ],
    tests,
  },
  {
    name: 'rollups: an hour inside a group is ignored',
    changes: [{ file: queryRollups, find: 'minute % 15 === 0', replace: 'minute >= 0' }],
    tests,
  },
  {
    name: 'rollups: orphan ends of unfinished calls are not looked for',
    changes: [
      {
        file: queryRollups,
        find: 'yield* append(unfinishedCallIds, row.unfinished_call_ids);',
        replace: '',
      },
    ],
    tests,
  },
  {
    name: 'rollups: one of several top calls is lost',
    changes: [
      { file: rollUpTraces, find: 'SELECT groupArray(key)', replace: 'SELECT groupArray(1)(key)' },
    ],
    tests,
  },
  {
    name: 'rollups: calls below no top call are left out',
    changes: [
      {
        file: rollupRows,
        find: 'HAVING sum(group_calls) = any(stored.calls)\n    AND',
        replace: 'HAVING',
      },
    ],
    tests: ofCycles,
  },
  {
    name: 'rollups: a trace without top calls is in no list',
    changes: [
      {
        file: rollupRows,
        find: 'empty(groupArrayArray(group_tops) AS found_tops)',
        replace: 'length(groupArrayArray(group_tops) AS found_tops) < 0',
      },
    ],
    tests: ofCycles,
  },
  {
    name: 'rollups: traces with a cycle are not rolled up',
    changes: [
      {
        file: rollUpWholeTraces,
        find: 'FROM counted_usage',
        replace: 'FROM counted_usage WHERE 0',
      },
    ],
    tests: ofCycles,
  },
  {
    name: 'rollups: a top call beside a cycle is answered without its descendants',
    changes: [{ file: rollUpWholeTraces, find: 'toUInt128(0) AS top', replace: 'key AS top' }],
    tests,
  },
  {
    name: 'rollups: calls that are no top calls are listed as roots beside a cycle',
    changes: [
      { file: rollUpWholeTraces, find: '{include is_top_call} AS is_top', replace: '1 AS is_top' },
    ],
    tests: ofWholeTraces,
  },
  {
    name: 'rollups: agents count what is below them beside a cycle',
    changes: [
      { file: rollUpWholeTraces, find: 'if(call.counts_usage, call', replace: 'if(1, call' },
    ],
    tests: ofWholeTraces,
  },
  {
    name: 'rollups: usage that an SDK has rolled up counts twice beside a cycle',
    changes: [
      { file: rollUpWholeTraces, find: 'call.usage_mode = 1', replace: 'call.usage_mode = 3' },
    ],
    tests: ofWholeTraces,
  },
  {
    name: 'several spans of one response count in rollups',
    changes: [
      {
        file: rollUpTraces,
        find: 'QUALIFY NOT is_of_response\n        OR place',
        replace: 'QUALIFY place',
      },
    ],
  },
];
