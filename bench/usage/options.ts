import { parseArgs } from 'node:util';

import { fullIngest, type IngestOptions, quickIngest } from '../ingest/measure-ingest.ts';
import { fullScale, quickScale, type Scale } from '../project/scale.ts';
import { statisticsScenario } from '../rollups/measure-statistics.ts';
import { listScenarios, type Scenario } from './scenarios.ts';

/** The options of `npm run bench`; bench/README.md describes them. */
export interface Options {
  readonly scale: Scale;
  readonly scenarios: readonly Scenario[];
  /** Whether statistics of the project are measured. */
  readonly hasStatistics: boolean;
  readonly hasLoad: boolean;
  /** Undefined: ingestion is not measured. */
  readonly ingest: IngestOptions | undefined;
  readonly dataDir: string | undefined;
  readonly jsonFile: string | undefined;
  readonly check: boolean;
  readonly expect: boolean;
  readonly markdown: boolean;
}

/** @throws {Error} naming an option that is unknown or has an invalid value */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      expect: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      ingest: { type: 'boolean' },
      json: { type: 'string' },
      data: { type: 'string' },
      runs: { type: 'string' },
      scenario: { type: 'string', multiple: true },
    },
  });
  const { quick, scenario: names, check, expect, markdown } = values;
  const scale = quick ? quickScale : fullScale;
  const runs = values.runs === undefined ? scale.runs : parseRuns(values.runs);
  const hasIngest = values.ingest ?? (!quick && names === undefined);
  return {
    scale: { ...scale, runs },
    scenarios: selectScenarios(listScenarios(scale), names),
    hasStatistics: names?.includes(statisticsScenario) ?? true,
    hasLoad: names === undefined,
    ingest: hasIngest ? (quick ? quickIngest : fullIngest) : undefined,
    dataDir: values.data,
    jsonFile: values.json,
    check,
    expect,
    markdown,
  };
}

function parseRuns(text: string): number {
  const runs = Number(text);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs must be a positive integer');
  return runs;
}

function selectScenarios(
  scenarios: readonly Scenario[],
  names: readonly string[] | undefined,
): readonly Scenario[] {
  if (names === undefined) return scenarios;
  const known = [...scenarios.map(({ name }) => name), statisticsScenario];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`--scenario ${unknown.join(', ')}: must be one of ${known.join(', ')}`);
  }
  return scenarios.filter(({ name }) => names.includes(name));
}
