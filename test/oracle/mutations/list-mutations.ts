import type { Mutation } from './mutations.ts';

const ofLists = 'test/usage/lists/call-list.test.ts';
const ofIds = 'test/usage/lists/repeated-ids.test.ts';
const ofLevels = 'test/sql/calls/list-level.test.ts';
const ofTrees = 'test/usage/lists/trace-usage.test.ts';
const ofTreeCalls = 'test/sql/calls/tree-calls.test.ts';
const ofSearch = 'test/usage/traces/search.test.ts';
const ofCycles = 'test/usage/traces/cycles.test.ts';
const addsUp = 'test/usage/lists/adds-up.test.ts';

const listCalls = 'sql/queries/calls/list_calls.sql';
const countCalls = 'sql/queries/calls/count_calls.sql';
const listLevel = 'sql/queries/calls/list_level.sql';
const treeCalls = 'sql/queries/calls/tree_calls.sql';
const storedUsage = 'sql/queries/calls/stored_usage.sql';
const readStored = 'src/usage/lists/stored-usage.ts';
const wholeTrees = 'src/usage/trees/whole-trees.ts';
const orphanEnds = 'sql/queries/traces/find_orphan_ends.sql';
const traceFilter = 'sql/queries/fragments/rollups/trace_filter.sql';
const listedCalls = 'sql/queries/fragments/calls/from_listed_calls.sql';
const statsFilter = 'sql/queries/fragments/stats/stats_filter.sql';
const liveTraces = 'sql/queries/traces/live_traces.sql';
const rollUp = 'sql/queries/rollups/roll_up_traces.sql';

/** Break lists of calls, trees, and what traces have as a whole. */
export const listMutations: readonly Mutation[] = (
  [
    [ofLists, 'a batch ignores the one before', listCalls, 'NOT {is_continued:Bool}', '1'],
    [ofLists, 'running calls are first by end', listCalls, '9223372036854775807', '-1'],
    [
      ofLists,
      'the order of ends is ascending',
      listCalls,
      'ended_us * {direction:Int8}',
      'ended_us',
    ],
    [
      ofLists,
      'counts are not limited',
      countCalls,
      'least(count(), {max_calls:UInt64})',
      'count()',
    ],
    [ofLists, 'calls that are no roots are roots', listedCalls, 'OR parent = 0', 'OR 1'],
    [ofLists, 'ends of running calls match', listedCalls, '(state = 1) = (open_id = ended)', '1'],
    [ofIds, 'ids of named traces are paired', statsFilter, 'if({is_located:Bool}', 'if(1'],
    [ofLevels, 'a call that is its own parent is no top call', listLevel, 'IN (0, key)', 'IN (0)'],
    [ofLevels, 'a deleted parent has children', listLevel, 'WHERE NOT is_deleted', 'WHERE 1'],
    [ofLevels, 'a call is its own child', listLevel, 'parent != key)', '1)'],
    [ofTrees, 'a call is its own child in counts', treeCalls, 'countIf(NOT is_call)', 'count()'],
    [ofTreeCalls, 'spans beside the calls do not matter', treeCalls, 'OR usage_mode = 2)', ')'],
    [
      ofLists,
      'what an SDK has added is of the call',
      storedUsage,
      'WHERE usage_mode = 1',
      'WHERE 0',
    ],
    [
      ofLists,
      'costs are those before a repair',
      readStored,
      'ended_at !== null && open.has(key)',
      'ended_at === null && open.has(key)',
    ],
    [
      ofTrees,
      'what an SDK has added is of a whole trace',
      wholeTrees,
      'if (needsCounting(row)) return',
      'if (needsCounting(row) && row.calls === "") return',
    ],
    [
      ofTrees,
      'in a whole trace a call is its own child',
      wholeTrees,
      'if (parent_key !== call_key) ',
      '',
    ],
    [
      ofSearch,
      'display names are not searched',
      traceFilter,
      'OR root_key IN',
      'OR 0 AND root_key IN',
    ],
    [ofSearch, 'orphan ends are on the shard of the rollup', orphanEnds, 'id GLOBAL IN', 'id IN'],
    [
      'test/rollups/statistics.test.ts',
      'an orphan end is attached again by each request',
      orphanEnds,
      '{include from_project_rollups}\n        WHERE',
      'FROM trace_rollups WHERE NOT {has_trace_ids:Bool} AND empty({trace_ids:Array(String)}) ' +
        'AND project_id = {project_id:String} AND rules_version = {rules_version:UInt64} AND',
    ],
    [
      ofCycles,
      'a trace without a root starts never',
      liveTraces,
      'min(started_us)',
      'max(started_us)',
    ],
    [addsUp, 'a response counts for each top call', rollUp, 'variant < 2 OR place', '1 OR place'],
  ] as const
).map(([tests, name, file, find, replace]) => ({
  name: `lists: ${name}`,
  ...{ tests, changes: [{ file, find, replace }], mayFail: false },
}));
