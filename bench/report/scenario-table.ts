import Table from 'cli-table3';

import type { Scenario } from '../usage/scenarios.ts';
import type { ScenarioReport } from './scenario-report.ts';

/** The largest ratios that are wanted, in the order of the table: to the flat sum, to the client-side roll-up. */
const targets: Readonly<Record<string, readonly [number, number?]>> = {
  page_1: [1.6],
  page_50_sdk: [0.8, 1],
  page_100: [0.7, 1],
  page_100_random_ids: [0.7, 1],
  page_100_mixed: [1, 1],
  page_100_otel: [0.7, 1],
  page_1000: [0.5, 1],
  inner_100: [4, 0.15],
  trace_1m: [0.1, 1],
  chain_1000: [1.6],
  chain_10000: [1, 1],
  unknown_10000: [1.2],
};

/** The largest ratios of live answers to the flat sum. */
const liveTargets: Readonly<Record<string, number>> = {
  page_1: 2.5,
  page_50_sdk: 2.2,
  page_100: 1.6,
  page_100_random_ids: 2.1,
  page_100_otel: 5,
  page_1000: 1.5,
  inner_100: 4,
  trace_1m: 1.6,
  chain_1000: 2.5,
  chain_10000: 2.5,
  unknown_10000: 1.2,
};

/** The scenarios as a table for the terminal. */
export function toTable(scenarios: readonly ScenarioReport[]): string {
  const table = new Table({
    head: [
      'scenario',
      'runs',
      'flat sum',
      'ours (p95)',
      'live',
      'level by level',
      'client-side',
      'ours/flat sum (target)',
      'live/flat sum (target)',
      'ours/client-side (target)',
      'processor: flat sum',
      'ours',
      'live',
      'rows/flat sum',
      'query peak',
      'service RSS',
    ],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...Array.from({ length: 15 }, () => 'right' as const)],
  });
  for (const scenario of scenarios) table.push(toCells(scenario));
  return table.toString();
}

function toCells(scenario: ScenarioReport): string[] {
  const [flatSumTarget, clientSideTarget] = targets[scenario.name] ?? [];
  return [
    scenario.name,
    String(scenario.runs),
    formatMs(scenario.floor_ms),
    `${formatMs(scenario.ours_ms)} (${formatMs(scenario.ours_p95_ms)})`,
    formatMs(scenario.live_ms),
    formatMs(scenario.level_by_level_ms),
    formatMs(scenario.fetch_and_fold_ms),
    formatRatio(scenario.ours_to_floor, flatSumTarget),
    formatRatio(scenario.live_to_floor, liveTargets[scenario.name]),
    formatRatio(scenario.ours_to_fetch_and_fold, clientSideTarget),
    formatMs(scenario.floor_processor_ms),
    `${formatMs(scenario.ours_processor_ms)} (${formatRatio(scenario.processor_to_floor)})`,
    `${formatMs(scenario.live_processor_ms)} (${formatRatio(scenario.live_processor_to_floor)})`,
    formatRatio(scenario.table_rows_read_to_floor),
    scenario.query_peak_mb === null ? '–' : `${Math.round(scenario.query_peak_mb)} MiB`,
    formatGrowth(scenario.rss_growth_mb),
  ];
}

function formatMs(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms).toLocaleString('en')} ms`;
}

function formatRatio(value: number | null, target?: number): string {
  if (value === null) return '–';
  if (target === undefined) return `${value} ×`;
  return `${value} × (${target}${value <= target ? '' : ' ✗'})`;
}

function formatGrowth(mb: number | null): string {
  if (mb === null) return '–';
  return `${mb < 0 ? '−' : '+'}${Math.abs(mb).toFixed(1)} MiB`;
}

/** The times and ratios as a Markdown table, for the documentation. */
export function toMarkdown(
  reports: readonly ScenarioReport[],
  scenarios: readonly Scenario[],
): string {
  const titles = new Map(scenarios.map(({ name, title }) => [name, title]));
  const head = [
    'requested',
    'flat sum',
    'ours',
    'live',
    'level by level',
    'client-side roll-up',
    'ours / flat sum',
    'live / flat sum',
    'ours / client-side roll-up',
  ];
  const rows = reports.map((report) => [
    `\`${report.name}\`: ${titles.get(report.name) ?? ''}`,
    formatMs(report.floor_ms),
    formatMs(report.ours_ms),
    formatMs(report.live_ms),
    formatMs(report.level_by_level_ms),
    formatMs(report.fetch_and_fold_ms),
    formatRatio(report.ours_to_floor),
    formatRatio(report.live_to_floor),
    formatRatio(report.ours_to_fetch_and_fold),
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
