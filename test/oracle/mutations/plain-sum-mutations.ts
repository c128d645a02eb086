import type { Mutation } from './mutations.ts';

const rolledUp = 'sql/queries/usage/usage_flat_sum_rolled_up.sql';
const ordered = 'sql/queries/usage/usage_flat_sum_ordered.sql';
const counters = 'src/usage/usage-counters.ts';
const sqlTests = 'test/sql/usage';
/** All of the flat sums: which of them answers a forest is chance, so that 120 forests may miss what one of them does wrong. */
const flatSumTests = 'test/sql/usage/usage-flat-sum';

/** Breaks the statements that add stored counters up, or the decision that they may: [name, file, text, replacement]. */
const changes: readonly (readonly [string, string, string, string])[] = [
  [
    'rolled-up sum: children that ended after the call are subtracted',
    rolledUp,
    'call.ended_us <= parent_call.ended_us',
    'true',
  ],
  [
    'rolled-up sum: children that are larger than the call are subtracted',
    rolledUp,
    'call.total <= parent_call.total OR parent_call.total = 0',
    'true',
  ],
  [
    'rolled-up sum: requests of an aborted stream are counted again',
    rolledUp,
    ' OR parent_call.total = 0',
    '',
  ],
  [
    'rolled-up sum: own usage below 0 is what was stored',
    rolledUp,
    'toUInt64(n - least(n, of_children))',
    'toUInt64(if(n < of_children, n, n - of_children))',
  ],
  [
    'rolled-up sum: the total of a call has no completion tokens',
    'sql/queries/fragments/usage/plain_total.sql',
    'arraySlice(used.counters, prompt_tokens, 5)',
    'arraySlice(used.counters, prompt_tokens, 1)',
  ],
  ['counters of other kinds are left out', counters, 'stored.length > lastPlainPosition ||', ''],
  ['sums do not mind total tokens beyond the counts', counters, 'has_excess === 1 ||', ''],
  ['sums do not mind counts of two APIs', counters, '(isSet(2) && isSet(5)) ||', ''],
  ['cached tokens under two names are added', counters, '(isSet(7) && isSet(9, 10)) ||', ''],
  [
    'native entries are added like others',
    counters,
    '(is_native_sdk === 1 && (facts & hasFieldsOfAnthropic) !== 0)',
    'false',
  ],
];

export const plainSumMutations: readonly Mutation[] = [
  ...changes.map(([name, file, find, replace]) => ({
    name,
    changes: [{ file, find, replace }],
    tests: flatSumTests,
  })),
  {
    name: 'ordered sum: missing parents do not matter',
    changes: [
      {
        file: 'src/usage/query/choose-statement.ts',
        find: 'keys === undefined || keys === calls + 1',
        replace: 'keys !== -1',
      },
    ],
    tests: sqlTests,
  },
  {
    name: 'ordered sum: ids that do not grow with time do not matter',
    changes: [{ file: ordered, find: 'max(NOT call.is_after_parent)', replace: 'max(0)' }],
    tests: sqlTests,
  },
];
