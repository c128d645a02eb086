import type { Mutation } from './mutations.ts';

const chooseRow = 'src/prices/snapshot/choose-row.ts';
const chosenPrice = 'src/prices/snapshot/chosen-price.ts';
const snapshot = 'src/prices/snapshot/price-snapshot.ts';
const snapshots = 'src/prices/snapshot/price-snapshots.ts';

/** Breaks the choice of prices in one way: [name, file, text, replacement]. */
const changes: readonly (readonly [string, string, string, string])[] = [
  [
    'default prices are read once only',
    snapshots,
    'this.#defaults?.version !== version',
    'this.#defaults === undefined',
  ],
  [
    'prices of a project are read once only',
    snapshots,
    'known?.version === version ? known',
    'known !== undefined ? known',
  ],
  [
    'names of the price book precede the exact name',
    snapshot,
    'exact !== undefined)',
    'exact !== undefined && this.#names.resolve(model) === null)',
  ],
  [
    'default prices show through those of a project',
    chooseRow,
    'return best ?? null;',
    'return findBest(defaults, at, best);',
  ],
  [
    'default prices precede those of the project',
    chooseRow,
    "return a.level === 'project'",
    "return a.level === 'default'",
  ],
  [
    'future prices precede those in force',
    chooseRow,
    'b.effectiveUs <= periodUs) return isInForce;',
    'b.effectiveUs <= periodUs) return !isInForce;',
  ],
  [
    'the earliest price in force applies',
    chooseRow,
    'a.effectiveUs > b.effectiveUs === isInForce',
    'a.effectiveUs < b.effectiveUs === isInForce',
  ],
  [
    'the service tier does not matter',
    chooseRow,
    "row.serviceTier === '' || row.serviceTier === at.serviceTier",
    'row.serviceTier !== undefined',
  ],
  [
    'standard precedes the service tier',
    chooseRow,
    "return a.serviceTier !== ''",
    "return a.serviceTier === ''",
  ],
  ['hours include their end', chooseRow, 'at.minuteOfWeek < end', 'at.minuteOfWeek <= end'],
  ['hours come last', chooseRow, 'return hasHours;', 'return !hasHours;'],
  [
    'the smallest prompt size precedes',
    chooseRow,
    'a.promptTokensAbove > b.promptTokensAbove',
    'a.promptTokensAbove < b.promptTokensAbove',
  ],
  [
    'prices of larger prompts apply to smaller ones',
    chooseRow,
    'row.promptTokensAbove <= at.promptSize',
    'row.promptTokensAbove >= at.promptSize',
  ],
  [
    'the price that was created first applies',
    chooseRow,
    'a.createdUs > b.createdUs',
    'a.createdUs < b.createdUs',
  ],
  [
    'an hour of cache costs what other cache writes cost',
    chosenPrice,
    'costs.cache_creation_1h_input_token_cost ?? toCacheWriteCost(costs)',
    'toCacheWriteCost(costs)',
  ],
  [
    'an hour of cache without a price costs what the prompt costs',
    chosenPrice,
    'costs.cache_creation_1h_input_token_cost ?? toCacheWriteCost(costs)',
    'costs.cache_creation_1h_input_token_cost ?? costs.prompt_token_cost',
  ],
  [
    'audio output costs what text costs',
    chosenPrice,
    'costs.audio_output_token_cost ?? costs.completion_token_cost',
    'costs.completion_token_cost',
  ],
];

export const priceMutations: readonly Mutation[] = changes.map(([name, file, find, replace]) => ({
  name: `prices: ${name}`,
  changes: [{ file, find, replace }],
  tests: 'test/prices/snapshot',
}));
