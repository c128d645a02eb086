import { readFileSync, writeFileSync } from 'node:fs';

import type { StatisticsReport } from '../rollups/measure-statistics.ts';
import type { ScenarioReport } from './scenario-report.ts';

/** The content of `expected-ratios.json`: ratios of a run with `--quick`. */
export interface ExpectedRatios {
  /** How much larger a ratio may be before the check fails: 0.5 lets 2 become 3. */
  readonly tolerance: number;
  readonly scenarios: Readonly<
    Record<string, Pick<ScenarioReport, 'ours_to_floor' | 'ours_to_fetch_and_fold'>>
  >;
  /** Of statistics of the whole project. */
  readonly statistics: Pick<StatisticsReport, 'processor_to_live'> | null;
}

const file = new URL('../expected-ratios.json', import.meta.url);

export function readExpectedRatios(): ExpectedRatios {
  return JSON.parse(readFileSync(file, 'utf8')) as ExpectedRatios;
}

/** Replaces the expected ratios with the measured ones; the tolerance stays. */
export function writeExpectedRatios(
  scenarios: readonly ScenarioReport[],
  report: StatisticsReport | null,
): void {
  const { tolerance } = readExpectedRatios();
  const ratios = scenarios.map(({ name, ours_to_floor, ours_to_fetch_and_fold }) => [
    name,
    { ours_to_floor, ours_to_fetch_and_fold },
  ]);
  const statistics = report && { processor_to_live: report.processor_to_live };
  const expected = { tolerance, scenarios: Object.fromEntries(ratios) as object, statistics };
  writeFileSync(file, `${JSON.stringify(expected, undefined, 2)}\n`);
}

/** Returns a sentence for every ratio that is larger than it may be. */
export function findRegressions(
  scenarios: readonly ScenarioReport[],
  report: StatisticsReport | null,
  { tolerance, scenarios: expected, statistics }: ExpectedRatios,
): string[] {
  const ratio = report?.processor_to_live ?? 0;
  const isSlow = ratio > (statistics?.processor_to_live ?? 0) * (1 + tolerance);
  const ofStatistics = isSlow ? [`${report?.name}: processor_to_live is ${ratio}`] : [];
  const ofScenarios = scenarios.flatMap((scenario) => {
    const ratios = expected[scenario.name];
    if (ratios === undefined) return [`${scenario.name}: has no expected ratios`];
    return (['ours_to_floor', 'ours_to_fetch_and_fold'] as const).flatMap((name) => {
      const [ratio, value] = [ratios[name], scenario[name]];
      if (ratio === null) return [];
      if (value === null) return [`${scenario.name}: ${name} could not be measured`];
      if (value <= ratio * (1 + tolerance)) return [];
      return [`${scenario.name}: ${name} is ${value}, expected ${ratio} plus ${tolerance * 100} %`];
    });
  });
  return [...ofScenarios, ...ofStatistics];
}
