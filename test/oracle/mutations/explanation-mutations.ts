import type { Mutation } from './mutations.ts';

const pricedUsage = 'src/usage/priced-usage.ts';

const forests = 'test/oracle/explanations.test.ts';

/** Breaks explanations in one way: [name, file, text, replacement, tests]. */
const changes: readonly (readonly [string, string, string, string, string])[] = [
  [
    'explanation: all prices of a model are the first one',
    pricedUsage,
    '[model, ...toPriceKey(price)]',
    '[model]',
    forests,
  ],
  [
    'explanation: what is double counted in descendants is missing',
    pricedUsage,
    'doubleCounted: addEach(a.doubleCounted, b.doubleCounted)',
    'doubleCounted: a.doubleCounted',
    forests,
  ],
  [
    'explanation: nothing is double counted',
    'sql/queries/fragments/counting/double_counted.sql',
    'arraySlice(counts[2], 1, 4)',
    'arraySlice(counts[1], 1, 4)',
    forests,
  ],
  [
    'explanation: a model without usage of its own is left out',
    'src/usage/explanation-json.ts',
    'isUnused(bill.usage) && bill.doubleCounted.every((n) => n === 0n)',
    'isUnused(bill.usage)',
    'test/usage/explanation.test.ts',
  ],
];

export const explanationMutations: readonly Mutation[] = changes.map(
  ([name, file, find, replace, tests]) => ({ name, changes: [{ file, find, replace }], tests }),
);
