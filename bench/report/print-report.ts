import type { LoadReport } from '../load/measure-load.ts';
import type { CatchUp } from '../rollups/measure-catch-up.ts';
import type { StatisticsReport } from '../rollups/measure-statistics.ts';
import type { ProjectSize } from '../project/fill-project.ts';
import type { ScenarioReport } from './scenario-report.ts';
import { toTable } from './scenario-table.ts';

/** What the measurements depend on besides the code. */
export interface Facts {
  readonly clickhouse: string;
  readonly cores: number;
  readonly node: string;
}

export function printFacts(
  { clickhouse, cores, node }: Facts,
  { calls, activeParts, bytesOnDisk }: ProjectSize,
): void {
  console.log(
    `ClickHouse ${clickhouse}, ${cores} cores, Node ${node}; ${calls.toLocaleString('en')} calls in ` +
      `${activeParts} active parts of the table merged_calls, ${Math.round(bytesOnDisk / 1_048_576)} MiB`,
  );
  console.log(
    'flat sum (the lower bound): of the same merged calls per trace and model. ours: POST /calls/usage with costs.\n' +
      'Medians of interleaved runs; the answers were compared before they were timed. For inner calls and for usage\n' +
      'that SDKs have rolled up, the flat sum computes something else: the stored usage of whole traces.',
  );
}

export function printRollups({ traces, calls, bytes, seconds, callsPerSecond }: CatchUp): void {
  const perMillion = Math.round(bytes / (calls / 1_000_000) / 1_024);
  console.log(
    `rollups: ${traces} of ${calls.toLocaleString('en')} calls, ${perMillion} KiB per million calls; caught up in ` +
      `${seconds} s, ${callsPerSecond.toLocaleString('en')} calls/s`,
  );
}

export function printScenarios(scenarios: readonly ScenarioReport[]): void {
  console.log(toTable(scenarios));
  for (const { name, reasons } of scenarios) {
    for (const [strategy, reason] of Object.entries(reasons)) {
      console.log(`${name}, ${strategy}: ${reason}`);
    }
  }
}

/** The ratio to live requests that is wanted. */
const maxRatioToLive = 0.1;

export function printStatistics(report: StatisticsReport): void {
  const { processor_to_live: ratio } = report;
  console.log(
    `${report.name}: ${report.buckets} buckets, ours ${report.ours_ms} ms, live ${report.live_ms} ms ` +
      `(${report.ours_to_live} ×); processor ${report.ours_processor_ms} ms and ` +
      `${report.live_processor_ms} ms (${ratio} ×, target ${maxRatioToLive}${ratio <= maxRatioToLive ? '' : ' ✗'})`,
  );
}

export function printLoad(load: LoadReport): void {
  console.log(
    `load: ${load.clients} clients, pages of 50 roots, ${load.seconds} s: ${load.requests} answers, ` +
      `${load.errors} errors, p50 ${load.p50_ms} ms, p99 ${load.p99_ms} ms (${load.p99_to_p50} ×), ` +
      `${load.per_second}/s; flat sum ${load.floor_per_second}/s (${load.throughput_to_floor} ×)`,
  );
  console.log(
    `client disconnects: its query ended after ${load.hang_up_freed_ms} ms; time limit exceeded: status ` +
      `${load.timeout_status}, query ended after ${load.timeout_freed_ms} ms, memory +${load.timeout_kept_mb} MiB`,
  );
}
