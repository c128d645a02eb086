import type { Mutation } from './mutations.ts';

const queries = 'sql/queries';
const sqlTests = 'test/sql/stats';
const projectRollups = `${queries}/fragments/rollups/from_project_rollups.sql`;
const rollups = `${queries}/stats/stats_rollups.sql`;
const statsCounts = `${queries}/fragments/stats/stats_counts.sql`;
const countedSpans = `${queries}/fragments/otel/counted_spans.sql`;
const ofRollups = `${sqlTests}/stats-rollups.test.ts`;
const ofOtel = `${sqlTests}/stats-usage-otel.test.ts`;
const ofSource = 'test/rollups/statistics.test.ts';
const rollupSource = 'src/usage/stats/sources/rollup-source.ts';

/** Break statistics, live ones and those from rollups. */
export const statsMutations: readonly Mutation[] = [
  mutate('statistics: the checksum of a rollup is not compared', ofRollups, [
    [projectRollups, 'sum(checksum) AS checksum', 'any(trace_id) AS same_trace'],
    [projectRollups, 'USING (trace_id, checksum)', 'USING (trace_id)'],
  ]),
  mutate('statistics: rollups of other rules are used', ofRollups, [
    [projectRollups, 'rules_version = {rules', 'rules_version >= 0 * {rules'],
  ]),
  mutate('statistics: a rollup that is stored twice counts twice', ofRollups, [
    [projectRollups, 'RIGHT ANY JOIN', 'RIGHT JOIN'],
  ]),
  mutate('statistics: traces without a rollup are lost', ofRollups, [
    [projectRollups, 'RIGHT ANY JOIN', 'INNER JOIN'],
  ]),
  mutate('statistics: the start of the window inside a group is ignored', ofRollups, [
    [
      rollups,
      'started_us < {start_us:Int64} OR max_us >= {end_us:Int64}, 2',
      'max_us >= {end_us:Int64}, 2',
    ],
  ]),
  mutate('statistics: the end of the window inside a group is ignored', ofRollups, [
    [
      rollups,
      'started_us < {start_us:Int64} OR max_us >= {end_us:Int64}, 2',
      'started_us < {start_us:Int64}, 2',
    ],
  ]),
  mutate('statistics: an edge of a bucket inside a group is ignored', ofRollups, [
    [rollups, 'roundDown(max_us, {bucket_starts', 'roundDown(started_us, {bucket_starts'],
  ]),
  mutate('statistics: a price that begins inside a group is ignored', ofRollups, [
    [rollups, 'roundDown(max_us, {price_dates', 'roundDown(started_us, {price_dates'],
  ]),
  mutate('statistics: a prompt size inside a group is ignored', ofRollups, [
    [rollups, 'roundDown(max_size, {prompt', 'roundDown(min_size, {prompt'],
  ]),
  mutate('statistics: what depends on the top call is taken from rollups', ofRollups, [
    [rollups, 'depends_on_top, 2', '0, 2'],
  ]),
  mutate('statistics: the filter is lost in rollups', ofRollups, [
    [rollups, ' OR NOT ({include stats_names})', ''],
  ]),
  mutate('statistics: a live trace is taken from its rollup, too', ofRollups, [
    [rollups, ', NOT is_live)', ', state = 1)'],
    [rollups, 'if(is_live, position <= 1, state = 1)', 'state = 1 OR is_live AND position <= 1'],
  ]),
  mutate('statistics: a call of several models counts several times', ofRollups, [
    [
      `${queries}/fragments/rollups/rollup_rows.sql`,
      'countIf(is_first_row AND is_call) AS group_calls',
      'countIf(is_call) AS group_calls',
    ],
    [`${queries}/fragments/rollups/rollup_rows.sql`, 'sum(group_calls) = ', 'sum(group_calls) >= '],
  ]),
  mutate('statistics: calls that end before their start have a latency', ofRollups, [
    [
      `${queries}/fragments/rollups/rollup_rows.sql`,
      'is_call AND has_latency) AS finished_calls',
      'is_call AND open_id = ended) AS finished_calls',
    ],
  ]),
  mutate('statistics: an hour inside a group is ignored', ofSource, [
    [rollupSource, 'areQuarters(boundaries.price_minutes) && ', ''],
  ]),
  mutate('statistics: orphan ends of calls in rollups are not looked for', ofSource, [
    [rollupSource, 'return isRepaired ? await read(signal) : first', 'return first'],
  ]),
  mutate('statistics: traces that have to be read live are lost', ofSource, [
    [rollupSource, 'if (liveTraceIds.length === 0)', 'if (liveTraceIds.length >= 0)'],
  ]),
  mutate('statistics: a filter of calls is lost in rollups', ofSource, [
    [rollupSource, ' && !call_ids?.length && !parent_ids?.length', ''],
  ]),
  mutate(
    'statistics: all usage of a trace counts, not that of the window',
    `${sqlTests}/stats-usage.test.ts`,
    [[statsCounts, '{include stats_window}', '1']],
  ),
  mutate(
    'statistics: usage that an SDK has rolled up counts twice',
    `${sqlTests}/stats-usage.test.ts`,
    [[statsCounts, 'if(call.usage_mode = 1,', 'if(call.usage_mode = 3,']],
  ),
  mutate('statistics: several spans of one response count', ofOtel, [
    [countedSpans, 'place = 1', 'place >= 1'],
  ]),
  mutate('statistics: twins count', ofOtel, [
    [countedSpans, ' AND NOT is_twin AS counts', ' AS counts'],
  ]),
  mutate('statistics: members of a cycle do not count', ofOtel, [
    [countedSpans, ' AND NOT mark.is_in_cycle', ''],
  ]),
  mutate('statistics: orphan ends are not repaired', 'test/usage/stats/call-stats.test.ts', [
    ['src/usage/stats/sources/live-source.ts', 'isRepaired ? await read() : traces', 'traces'],
    [
      'src/usage/query/read-repair.ts',
      "await clickhouse.write('repair_orphan_ends', parameters);",
      '',
    ],
  ]),
  mutate('statistics: roots are not selected', `${sqlTests}/stats-calls.test.ts`, [
    [
      `${queries}/stats/stats_calls.sql`,
      '(NOT {trace_roots_only:Bool} OR parent = 0)',
      '{trace_roots_only:Bool} < 2',
    ],
  ]),
  mutate(
    'statistics: traces with no call in the window are read',
    `${sqlTests}/stats-traces.test.ts`,
    [[`${queries}/stats/stats_traces.sql`, 'max(is_in_window AND', 'max(1 AND']],
  ),
];

function mutate(
  name: string,
  tests: string,
  changes: readonly (readonly [file: string, find: string, replace: string])[],
): Mutation {
  return {
    name,
    tests,
    changes: changes.map(([file, find, replace]) => ({ file, find, replace })),
  };
}
