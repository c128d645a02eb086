import type { Scenario } from './scenarios.ts';
import type { Totals, WayName } from './strategies.ts';

/**
 * Compares what the ways answered, before any of them is timed. Ours and fetch-and-fold must agree call by call
 * everywhere. Level by level adds up what is stored, so it must agree where no SDK rolled usage up; the flat sum
 * knows traces alone, so it must agree model by model where the requested calls are their roots, too.
 *
 * @param keys what the calls of the scenario are called in the database, by id
 * @throws {Error} naming the first difference
 */
export function checkAnswers(
  scenario: Scenario,
  answers: ReadonlyMap<WayName, Totals>,
  keys: ReadonlyMap<string, string>,
): void {
  const ours = answers.get('ours');
  if (ours === undefined) return;
  const byKey = new Map([...ours].map(([name, sums]) => [rename(name, keys), sums]));
  const folded = answers.get('fetch_and_fold');
  if (folded !== undefined) refuseDifference(scenario, 'fetch_and_fold', folded, byKey);
  const levels = answers.get('level_by_level');
  if (levels !== undefined && scenario.isOwn) {
    refuseDifference(scenario, 'level_by_level', levels, byKey);
  }
  const floor = answers.get('floor');
  if (floor !== undefined && scenario.isFlat) {
    refuseDifference(scenario, 'floor', perModel(floor), perModel(ours));
  }
  if (ours.size === 0 && keys.size > 0) throw new Error(`${scenario.name}: no usage at all`);
}

function rename(name: string, keys: ReadonlyMap<string, string>): string {
  const [id = '', model = ''] = name.split('\n');
  return `${keys.get(id) ?? id}\n${model}`;
}

function perModel(totals: Totals): Totals {
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

function refuseDifference(scenario: Scenario, way: WayName, totals: Totals, ours: Totals): void {
  for (const name of new Set([...totals.keys(), ...ours.keys()])) {
    const [theirs, mine] = [totals.get(name), ours.get(name)].map((sums) => JSON.stringify(sums));
    // A model whose tokens are all 0 is not answered.
    if (mine === undefined && totals.get(name)?.every((sum) => sum === 0) === true) continue;
    if (theirs !== mine) {
      throw new Error(
        `${scenario.name}: ${way} says ${String(theirs)} of ${JSON.stringify(name)}, ours ${String(mine)}`,
      );
    }
  }
}
