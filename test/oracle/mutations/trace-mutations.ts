import type { Mutation } from './mutations.ts';

const answers = 'test/usage/traces';
const statements = 'test/sql/traces';
const listTraces = 'sql/queries/traces/list_traces.sql';
const liveTraces = 'sql/queries/traces/live_traces.sql';
const traceFilter = 'sql/queries/fragments/rollups/trace_filter.sql';
const rollupRows = 'sql/queries/fragments/rollups/rollup_rows.sql';
const totals = 'src/usage/traces/trace-totals.ts';

/** The mutations that the tests of statements notice, which are faster. */
const isStatement = /^(a date|a prompt size|one hour|audio|calls without|the window|top calls)/;

/** Break lists of traces. */
export const traceMutations: readonly Mutation[] = [
  ...[
    [
      'a date of prices inside a sum is ignored',
      listTraces,
      'roundDown(max_us, {price',
      'roundDown(min_us, {price',
    ],
    [
      'a prompt size inside a sum is ignored',
      listTraces,
      'roundDown(max_size,',
      'roundDown(min_size,',
    ],
    [
      'one hour cache writes cost what others do',
      listTraces,
      'price[4] * counters[6]',
      'price[3] * counters[6]',
    ],
    [
      'audio is counted with the completion',
      listTraces,
      '(counters[3] - counters[10])',
      'counters[3]',
    ],
    [
      'unpriced traces are ordered as if they cost nothing',
      listTraces,
      'AND has_usage AND NOT has_cost',
      'AND 0',
    ],
    [
      'the page begins with the trace of the cursor',
      listTraces,
      '(is_unknown, sort_value, trace_id)\n            > ',
      '(is_unknown, sort_value, trace_id)\n            >= ',
    ],
    [
      'the window includes its end',
      listTraces,
      'tops.started_us[1] < {end_us',
      'tops.started_us[1] <= {end_us',
    ],
    [
      'percentiles lack what live traces may shift',
      listTraces,
      '- toInt64(live_traces), 0)',
      ', 0)',
    ],
    [
      'calls without a start are roots',
      liveTraces,
      'WHERE NOT is_deleted AND {include has_start}',
      'WHERE NOT is_deleted',
    ],
    [
      'top calls are in the order of their keys',
      rollupRows,
      'arraySort(found_tops)',
      'arraySort(each -> each.2, found_tops)',
    ],
    [
      'the search tells upper from lower case',
      traceFilter,
      'positionCaseInsensitiveUTF8(root',
      'positionUTF8(root',
    ],
    [
      'the search leaves display names out',
      traceFilter,
      'AND positionCaseInsensitiveUTF8(display_name',
      'AND 0 = positionCaseInsensitiveUTF8(display_name',
    ],
    [
      'a filter for no errors filters nothing',
      traceFilter,
      '(errors > 0) = {has_error:Bool}',
      '(errors > 0) >= {has_error:Bool}',
    ],
    [
      'percentiles are of rollups only',
      totals,
      'Math.max(position - live.length, 0)',
      'Math.max(position, 0)',
    ],
  ].map(([name = '', file = '', find = '', replace = '']) => ({
    name: `lists of traces: ${name}`,
    changes: [{ file, find, replace }],
    mayFail: true,
    tests: isStatement.test(name) ? statements : answers,
  })),
];
