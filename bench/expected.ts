import { readFileSync } from 'node:fs';

import type { ScenarioReport } from './report.ts';

/** `expected-ratios.json`: ratios of a quick run, and how much larger one may be before the check fails. */
export interface Expected {
  /** 0.5 lets a ratio of 2 become 3. */
  readonly tolerance: number;
  readonly scenarios: Readonly<
    Record<
      string,
      { readonly ours_to_floor: number; readonly ours_to_fetch_and_fold: number | null }
    >
  >;
}

/** The committed ratios. */
export function readExpected(): Expected {
  const url = new URL('expected-ratios.json', import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Expected;
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
