/**
 * `npm run bench`: measures POST /calls/usage and compares it with the flat sum of the same calls and with what users
 * would have without it. bench/README.md describes what is measured and how.
 */
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../src/clickhouse/embedded/embedded-server.ts';
import { measureIngest } from './ingest/measure-ingest.ts';
import { measureLoad } from './load/measure-load.ts';
import { fillUnlessFilled, waitForMerges } from './project/fill-project.ts';
import { pageOfRoots, project, type Scale } from './project/scale.ts';
import {
  findRegressions,
  readExpectedRatios,
  writeExpectedRatios,
} from './report/expected-ratios.ts';
import {
  printFacts,
  printLoad,
  printRollups,
  printScenarios,
  printStatistics,
} from './report/print-report.ts';
import { type ScenarioReport, toScenarioReport } from './report/scenario-report.ts';
import { toMarkdown } from './report/scenario-table.ts';
import { measureCatchUp } from './rollups/measure-catch-up.ts';
import { measureStatistics, type StatisticsReport } from './rollups/measure-statistics.ts';
import { openBenchClient, readRows } from './support/bench-client.ts';
import {
  readMemory,
  type ServiceProcess,
  startLiveService,
  startServer,
  startServiceProcess,
} from './support/processes.ts';
import { refuseFailure, requestUsage } from './support/usage-api.ts';
import {
  measureScenario,
  type MeasuredScenario,
  type UsageBench,
} from './usage/measure-scenario.ts';
import { type Options, parseOptions } from './usage/options.ts';
import { readProcessorTimes, readStatistics, waitForQueryLog } from './usage/query-statistics.ts';
import type { Scenario } from './usage/scenarios.ts';
import { createStrategies } from './usage/strategies.ts';

await main(parseOptions(process.argv.slice(2)));

async function main(options: Options): Promise<void> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'calls-usage-bench-')));
  const server = await startServer(dataDir);
  const service = await startServiceProcess(server, dataDir);
  const live = await startLiveService(server, dataDir);
  const client = openBenchClient(server.address);
  try {
    await run(options, dataDir, { server, service, live, client });
  } finally {
    await Promise.all([service.stop(), live.stop()]);
    await client.close();
    await server.stop();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true });
  }
}

interface Running {
  readonly server: EmbeddedServer;
  readonly service: ServiceProcess;
  /** The service without rollups. */
  readonly live: ServiceProcess;
  readonly client: ClickHouseClient;
}

async function run(
  options: Options,
  dataDir: string,
  { server, service, live, client }: Running,
): Promise<void> {
  const { scale } = options;
  await fillUnlessFilled(client, dataDir, scale);
  const size = await waitForMerges(client);
  const facts = {
    clickhouse: await readVersion(client),
    cores: cpus().length,
    node: process.version,
  };
  printFacts(facts, size);
  const rollups = await measureCatchUp(client);
  printRollups(rollups);
  const urls = { ours: service.url, live: live.url };
  const strategies = createStrategies(client, urls, scale.secondsPerStrategy);
  const idleMb = await warmUp(service, scale);
  const bench: UsageBench = { client, service, strategies, scale, idleMb };
  const scenarios = await measureScenarios(bench, options.scenarios);
  printScenarios(scenarios);
  const statistics = options.hasStatistics ? await measureStatistics(client, urls, scale) : null;
  if (statistics !== null) printStatistics(statistics);
  const load = options.hasLoad
    ? await measureLoad(server, service, client, scale, join(dataDir, 'second'))
    : null;
  if (load !== null) printLoad(load);
  const ingest = options.ingest === undefined ? null : await measureIngest(options.ingest);
  if (ingest !== null) console.log(`ingest: ${JSON.stringify(ingest, undefined, 2)}`);
  if (options.jsonFile !== undefined) {
    const results = {
      service_idle_mb: idleMb ?? null,
      rollups,
      scenarios,
      statistics,
      ingest,
      load,
    };
    await writeReport(options.jsonFile, { ...facts, date: today(), ...size, ...results });
  }
  if (options.markdown) console.log(toMarkdown(scenarios, options.scenarios));
  if (options.expect) writeExpectedRatios(scenarios, statistics);
  if (options.check) checkRatios(scenarios, statistics);
}

/**
 * Brings the service into the state of regular operation by requesting ten pages.
 * @returns its memory then, in MiB
 */
async function warmUp(service: ServiceProcess, scale: Scale): Promise<number | undefined> {
  for (let page = 0; page < 10; page += 1) {
    const ids = pageOfRoots(scale, 'sdk', 50, page);
    refuseFailure(await requestUsage(service.url, project, ids));
  }
  return (await readMemory(service))?.now;
}

async function measureScenarios(
  bench: UsageBench,
  scenarios: readonly Scenario[],
): Promise<ScenarioReport[]> {
  const { client } = bench;
  const measured: MeasuredScenario[] = [];
  for (const scenario of scenarios) measured.push(await measureScenario(bench, scenario));
  await waitForQueryLog(client);
  const reports: ScenarioReport[] = [];
  for (const each of measured) {
    const floor = await readStatistics(client, 'floor', each.periods.get('floor'));
    const ours = await readStatistics(client, 'ours', each.periods.get('ours'));
    const processorMs = await readProcessorTimes(client, each.period);
    reports.push(toScenarioReport(each, { floor, ours }, processorMs));
  }
  return reports;
}

async function readVersion(client: ClickHouseClient): Promise<string> {
  const [row] = await readRows<{ version: string }>(client, 'SELECT version() AS version');
  return row?.version ?? '';
}

async function writeReport(file: string, report: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function checkRatios(
  scenarios: readonly ScenarioReport[],
  statistics: StatisticsReport | null,
): void {
  const regressions = findRegressions(scenarios, statistics, readExpectedRatios());
  for (const regression of regressions) console.log(`slower: ${regression}`);
  if (regressions.length > 0) process.exitCode = 1;
  else console.log('check: no ratio is beyond its tolerance');
}
