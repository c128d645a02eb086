import Table from 'cli-table3';

import type { ScenarioReport } from './report.ts';

/** What the ratios are to be at most, in the order of the table: to the floor, to fetch-and-fold. */
export const targets: Readonly<Record<string, readonly [number, number?]>> = {
  page_1: [4],
  page_50_sdk: [2.5, 1.2],
  page_100: [1.8, 1],
  page_1000: [1.7, 0.35],
  inner_100: [6, 0.15],
  trace_1m: [8, 0.05],
  chain_1000: [6],
  chain_10000: [10],
  unknown_10000: [2],
};

/** The scenarios as a table for people. */
export function toTable(scenarios: readonly ScenarioReport[]): string {
  const table = new Table({
    head: [
      'scenario',
      'runs',
      'floor',
      'ours (p95)',
      'level by level',
      'fetch, fold',
      'ours/floor (target)',
      'ours/fold (target)',
      'rows/floor',
      'query peak',
      'service RSS',
    ],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...Array.from({ length: 10 }, () => 'right' as const)],
  });
  for (const scenario of scenarios) table.push(toCells(scenario));
  return table.toString();
}

function toCells(scenario: ScenarioReport): string[] {
  const [toFloor, toFold] = targets[scenario.name] ?? [];
  return [
    scenario.name,
    String(scenario.runs),
    toMs(scenario.floor_ms),
    `${toMs(scenario.ours_ms)} (${toMs(scenario.ours_p95_ms)})`,
    toMs(scenario.level_by_level_ms),
    toMs(scenario.fetch_and_fold_ms),
    toRatio(scenario.ours_to_floor, toFloor),
    toRatio(scenario.ours_to_fetch_and_fold, toFold),
    toRatio(scenario.table_rows_read_to_floor, undefined),
    scenario.query_peak_mb === null ? '–' : `${Math.round(scenario.query_peak_mb)} MiB`,
    toGrowth(scenario.rss_growth_mb),
  ];
}

function toMs(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms).toLocaleString('en')} ms`;
}

function toRatio(value: number | null, target: number | undefined): string {
  if (value === null) return '–';
  if (target === undefined) return `${value} ×`;
  return `${value} × (${target}${value <= target ? '' : ' ✗'})`;
}

function toGrowth(mb: number | null): string {
  if (mb === null) return '–';
  return `${mb < 0 ? '−' : '+'}${Math.abs(mb).toFixed(1)} MiB`;
}

/** The same in short as a table of Markdown, for the README. */
export function toMarkdown(
  scenarios: readonly ScenarioReport[],
  titles: ReadonlyMap<string, string>,
): string {
  const head = [
    'what is asked',
    'flat sum',
    'ours',
    'level by level',
    'fetch and fold',
    'ours / flat sum',
    'ours / fetch and fold',
  ];
  const rows = scenarios.map((scenario) => [
    `\`${scenario.name}\`: ${titles.get(scenario.name) ?? ''}`,
    toMs(scenario.floor_ms),
    toMs(scenario.ours_ms),
    toMs(scenario.level_by_level_ms),
    toMs(scenario.fetch_and_fold_ms),
    toRatio(scenario.ours_to_floor, undefined),
    toRatio(scenario.ours_to_fetch_and_fold, undefined),
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
