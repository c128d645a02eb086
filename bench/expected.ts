import { readFileSync, writeFileSync } from 'node:fs';

import type { ScenarioReport } from './report.ts';

/** `expected-ratios.json`: ratios of a quick run, and how much larger one may be before the check fails. */
export interface Expected {
  /** 0.5 lets a ratio of 2 become 3. */
  readonly tolerance: number;
  readonly scenarios: Readonly<
    Record<
      string,
      { readonly ours_to_floor: number | null; readonly ours_to_fetch_and_fold: number | null }
    >
  >;
}

const file = new URL('expected-ratios.json', import.meta.url);

/** The committed ratios. */
export function readExpected(): Expected {
  return JSON.parse(readFileSync(file, 'utf8')) as Expected;
}

/** Makes what was measured what is expected, with the tolerance that there was. */
export function writeExpected(scenarios: readonly ScenarioReport[]): void {
  const { tolerance } = readExpected();
  const ratios = scenarios.map(({ name, ours_to_floor, ours_to_fetch_and_fold }) => [
    name,
    { ours_to_floor, ours_to_fetch_and_fold },
  ]);
  const expected = { tolerance, scenarios: Object.fromEntries(ratios) as object };
  writeFileSync(file, `${JSON.stringify(expected, undefined, 2)}\n`);
}

/** A sentence for every ratio that is larger than it may be; none when all is well. */
export function findRegressions(
  scenarios: readonly ScenarioReport[],
  { tolerance, scenarios: expected }: Expected,
): string[] {
  return scenarios.flatMap((scenario) => {
    const limits = expected[scenario.name];
    if (limits === undefined) return [`${scenario.name}: no ratio is expected of it`];
    return (['ours_to_floor', 'ours_to_fetch_and_fold'] as const).flatMap((name) => {
      const [limit, value] = [limits[name], scenario[name]];
      if (limit === null) return [];
      if (value === null) return [`${scenario.name}: ${name} could not be measured`];
      if (value <= limit * (1 + tolerance)) return [];
      return [
        `${scenario.name}: ${name} is ${value}, expected ${limit}, plus ${tolerance * 100} %`,
      ];
    });
  });
}
