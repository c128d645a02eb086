import { explanationMutations } from './explanation-mutations.ts';
import { listMutations } from './list-mutations.ts';
import { otelMutations } from './otel-mutations.ts';
import { plainSumMutations } from './plain-sum-mutations.ts';
import { priceMutations } from './price-mutations.ts';
import { rollupMutations } from './rollup-mutations.ts';
import { statsMutations } from './stats-mutations.ts';
import { traceMutations } from './trace-mutations.ts';

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

const orderedFlatSum = 'sql/queries/usage/usage_flat_sum_ordered.sql';
const flatFamilies = 'sql/queries/fragments/counting/flat_families.sql';
const [requestedTraces, ownUsage, countingRules, priceClass, usageFields] = [
  'usage/from_requested_traces',
  'counting/own_usage',
  'counting/counting_rules',
  'usage/price_class',
  'counting/usage_fields',
].map((name) => `sql/queries/fragments/${name}.sql`) as [string, string, string, string, string];
const [isOutOfOrder, rolledUpChildren, requestedKeys, walkedCalls] = [
  'usage/is_out_of_order',
  'counting/rolled_up_children',
  'usage/requested_keys',
  'usage/walked_calls',
].map((name) => `sql/queries/fragments/${name}.sql`) as [string, string, string, string];
const chooseStatement = 'src/usage/query/choose-statement.ts';
const migration = 'sql/migrations/0008_merged_calls.sql';

export const mutations: readonly Mutation[] = [
  ...priceMutations,
  ...explanationMutations,
  ...plainSumMutations,
  ...otelMutations,
  ...rollupMutations,
  ...statsMutations,
  ...traceMutations,
  ...listMutations,
  mutate('repeated parts are counted twice: no FINAL', [
    [requestedTraces, 'FROM merged_calls FINAL', 'FROM merged_calls'],
  ]),
  mutate('calls of all projects are read', [
    [requestedTraces, 'PREWHERE project_id = {project_id:String}', "PREWHERE project_id != ''"],
  ]),
  mutate('usage of rolled-up children is not subtracted', [
    [ownUsage, 'toInt64(stored - least(stored, of_children))', 'toInt64(stored)'],
  ]),
  mutate('children that ended after the call are subtracted', [
    [ownUsage, 'child.ended_us <= ended_us AND ', ''],
  ]),
  mutate('children that are larger than the call are subtracted', [
    [ownUsage, '(total <= totals[1] OR totals[1] = 0)', 'true'],
  ]),
  mutate('requests of an aborted stream are counted again in its parent', [
    [ownUsage, ' OR totals[1] = 0', ''],
  ]),
  {
    ...mutate('own usage may be below 0', [
      [ownUsage, 'least(stored, of_children)', 'of_children'],
    ]),
    mayFail: true,
  },
  mutate('reasoning beside the completion is not counted', [
    [countingRules, 'reading[2] + reading[5] * (', 'reading[2] + 0 * ('],
  ]),
  mutate('reasoning inside the completion is counted again', [
    [
      countingRules,
      '>= stored[1] + is_native * (stored[3] + stored[4]) + stored[2] + stored[5]',
      '>= 0',
    ],
  ]),
  mutate("Anthropic's counts of old SDKs are taken for gross ones", [
    [countingRules, 'sdk_version BETWEEN 1 AND last_native_sdk', 'sdk_version = 1'],
  ]),
  mutate("Anthropic's counts of SDK 0.12.0 are taken for native ones", [
    [usageFields, '1000000012000000 AS last_native_sdk', '1000000012000001 AS last_native_sdk'],
  ]),
  mutate('the maker of a model is known by prefixes of its name', [
    [countingRules, "splitByChar('/', model)[-1]", 'model'],
  ]),
  mutate('the rest of a call shows what is beside its counts', [
    [countingRules, '(counters[total_tokens]', '(fields[total_tokens]'],
  ]),
  mutate('one pair of counts under two names counts twice', [
    [countingRules, 'if(is_one_pair, ', 'if(is_one_pair AND false, '],
  ]),
  mutate('classes of tokens overlap', [
    [countingRules, 'bound -> least(bound, prompt)', 'bound -> bound'],
  ]),
  mutate('cache writes for an hour cost as much as others', [
    [countingRules, 'least(fields[ephemeral_1h], reading[4])', '0 * reading[4]'],
  ]),
  mutate('cached audio counts as uncached audio too', [
    [countingRules, ' - least(fields[cached_audio], reading[6])', ''],
  ]),
  mutate('the week of prices begins on a Thursday', [
    [priceClass, '2419459200000000', '2419200000000000'],
  ]),
  mutate('the prompt tokens of an average request are rounded down', [
    [
      priceClass,
      'intDiv(prompt - 1, greatest(request_count, 1))',
      'intDiv(prompt, greatest(request_count, 1)) - 1',
    ],
  ]),
  mutate('the prompt of tools is not counted', [
    [countingRules, "bitTest(facts, 2) OR model_name LIKE '%gemini%',", 'false,'],
  ]),
  mutate('requests without counters cost nothing', [
    [countingRules, 'least(fields[unknown_requests], fields[requests])', 'toInt64(0)'],
  ]),
  {
    ...mutate('tree walk: cycles have no last step', [
      [walkedCalls, '        AND call.step < call.last_step\n', ''],
    ]),
    mayFail: true,
  },
  mutate('the latest price applies, whenever the call started', [
    [
      priceClass,
      'roundDown(started_us, {price_dates:Array(Int64)})',
      'arrayMax({price_dates:Array(Int64)})',
    ],
  ]),
  mutate('the price does not depend on the hour', [
    [
      priceClass,
      'roundDown(intDiv(started_us + 2419459200000000, 60000000) % 10080, {price_minutes:Array(UInt16)})',
      'arrayMin({price_minutes:Array(UInt16)})',
    ],
  ]),
  mutate('the tier is that of all requests together', [
    [priceClass, 'intDiv(prompt - 1, greatest(request_count, 1))', 'prompt - 1'],
  ]),
  mutate('tree walk: deleted calls are counted', [
    [walkedCalls, '        WHERE NOT is_deleted\n', ''],
  ]),
  mutate('tree walk: rows are filtered before they are merged', [
    [walkedCalls, '        WHERE NOT is_deleted\n', '        AND NOT is_deleted\n'],
  ]),
  mutate('flat sum: deleted calls are counted', [
    [isOutOfOrder, 'max(call.is_deleted OR call.parent', 'max(call.parent'],
    [orderedFlatSum, 'max(call.is_deleted) AS', 'max(0) AS'],
    [flatFamilies, 'max(call.is_deleted) OR NOT', 'NOT'],
  ]),
  mutate('usage of deleted children is not subtracted', [
    [
      rolledUpChildren,
      '    WHERE usage_mode = 1\n',
      '    WHERE usage_mode = 1 AND NOT is_deleted\n',
    ],
  ]),
  mutate('flat sum: calls with a missing parent are counted', [
    [isOutOfOrder, 'parent_call.key = 0 OR ', ''],
    [flatFamilies, ' OR NOT max(is_call)', ''],
    [chooseStatement, 'keys === calls + 1', 'keys >= calls'],
  ]),
  mutate('flat sum: a trace may have several roots', [
    [chooseStatement, 'roots === 1', 'roots >= 1'],
  ]),
  mutate('orphan ends are not repaired', [
    [
      'src/usage/query/read-repair.ts',
      "if (found?.orphan_ends === '0') return false;",
      'return found === undefined;',
    ],
  ]),
  mutate('cached tokens are priced twice', [
    ['src/usage/usage-counters.ts', 'prompt - read - written,', 'prompt,'],
  ]),
  mutate('a call of another trace can be a parent', [
    ...['trace_id, id', 'trace_id, parent_id'].map(
      (find) =>
        [
          migration,
          `sipHash128(${find})`,
          `sipHash128(${find.replace('trace_id', "''")})`,
        ] as const,
    ),
    [requestedKeys, 'sipHash128(trace_id, id)', "sipHash128('', id)"],
  ]),
];

/** @param changes [file, text, replacement] */
function mutate(name: string, changes: readonly (readonly [string, string, string])[]): Mutation {
  return { name, changes: changes.map(([file, find, replace]) => ({ file, find, replace })) };
}
