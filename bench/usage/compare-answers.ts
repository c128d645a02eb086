import type { Totals } from './client-side-roll-up.ts';
import type { Scenario } from './scenarios.ts';
import type { StrategyName } from './strategies.ts';

/**
 * Compares the answers of all strategies, before any of them is timed. Ours, with rollups and without, and the client-side
 * roll-up must agree on every call. The recursion sums stored usage, so it must agree where no SDK has rolled usage up. The
 * flat sum is per trace, so its sum per model must agree where also all requested calls are roots. Where the truth is known,
 * ours must be it.
 *
 * @param keys the keys in `calls` of the scenario's calls, by id
 * @throws {Error} naming the first difference
 */
export function compareAnswers(
  scenario: Scenario,
  answers: ReadonlyMap<StrategyName, Totals>,
  keys: ReadonlyMap<string, string>,
): void {
  const ours = answers.get('ours');
  if (ours === undefined) return;
  if (ours.size === 0 && keys.size > 0) throw new Error(`${scenario.name}: ours is empty`);
  const oursByKey = toByKey(ours, keys);
  const live = answers.get('live');
  refuseDifference(scenario, 'live', live && toByKey(live, keys), oursByKey);
  refuseDifference(scenario, 'fetch_and_fold', answers.get('fetch_and_fold'), oursByKey);
  if (scenario.truth !== undefined) refuseDifference(scenario, 'truth', scenario.truth, ours);
  if (scenario.hasOwnUsageOnly) {
    refuseDifference(scenario, 'level_by_level', answers.get('level_by_level'), oursByKey);
  }
  if (scenario.equalsFlatSum) {
    const flatSum = answers.get('floor');
    const perModel = flatSum === undefined ? undefined : sumPerModel(flatSum);
    refuseDifference(scenario, 'floor', perModel, sumPerModel(ours));
  }
}

function toByKey(totals: Totals, keys: ReadonlyMap<string, string>): Totals {
  return new Map([...totals].map(([name, sums]) => [replaceId(name, keys), sums]));
}

function replaceId(name: string, keys: ReadonlyMap<string, string>): string {
  const [id = '', model = ''] = name.split('\n');
  return `${keys.get(id) ?? id}\n${model}`;
}

function sumPerModel(totals: Totals): Totals {
  const sums: Totals = new Map();
  for (const [name, numbers] of totals) {
    const model = name.split('\n')[1] ?? '';
    const sum = sums.get(model) ?? numbers.map(() => 0);
    sums.set(
      model,
      sum.map((value, index) => value + (numbers[index] ?? 0)),
    );
  }
  return sums;
}

/** @param totals undefined if the strategy did not finish */
function refuseDifference(
  { name: scenario }: Scenario,
  strategy: StrategyName | 'truth',
  totals: Totals | undefined,
  ours: Totals,
): void {
  if (totals === undefined) return;
  for (const name of new Set([...totals.keys(), ...ours.keys()])) {
    const [sums, oursSums] = [totals.get(name), ours.get(name)];
    // The service leaves out a model whose counters are all 0.
    if (oursSums === undefined && sums?.every((sum) => sum === 0) === true) continue;
    const [expected, actual] = [sums?.join(), oursSums?.join()];
    if (expected !== actual) {
      throw new Error(
        `${scenario}: ${JSON.stringify(name)} is ${expected ?? 'missing'} for ${strategy} and ${actual ?? 'missing'} for ours`,
      );
    }
  }
}
