/**
 * `npm run bench`: measures POST /calls/usage beside what it cannot be cheaper than and what a user would have
 * otherwise. bench/README.md says what is measured and how.
 */
import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../src/clickhouse/embedded/embedded-server.ts';
import { readCost, waitForLog } from './costs.ts';
import { findRegressions, readExpected, writeExpected } from './expected.ts';
import { fill, type Filling, settle } from './fill.ts';
import { fullIngest, type IngestOptions, measureIngest, quickIngest } from './ingest.ts';
import { type LoadReport, measureLoad } from './load.ts';
import { type Bench, measure, type Measured } from './measure.ts';
import { type ScenarioReport, toScenarioReport } from './report.ts';
import { fullScale, pageOfRoots, project, quickScale, type Scale } from './scale.ts';
import { listScenarios, type Scenario } from './scenarios.ts';
import {
  askUsage,
  openBenchClient,
  readMemory,
  type ServiceProcess,
  startServer,
  startServiceProcess,
} from './servers.ts';
import { toMarkdown, toTable } from './table.ts';
import { createWays } from './strategies.ts';

const print = console.log;
const options = readOptions();

interface Options {
  readonly scale: Scale;
  readonly scenarios: readonly Scenario[];
  /** Whether only some scenarios are wanted: then there is no load. */
  readonly isPart: boolean;
  /** How taking in is measured; a quick run does so only when it is asked to. */
  readonly ingest: IngestOptions | undefined;
  readonly data: string | undefined;
  readonly json: string | undefined;
  readonly check: boolean;
  readonly expect: boolean;
  readonly markdown: boolean;
}

await main();

async function main(): Promise<void> {
  const dataDir = options.data ?? (await mkdtemp(join(tmpdir(), 'calls-usage-bench-')));
  const server = await startServer(dataDir);
  const service = await startServiceProcess(server, dataDir);
  const client = openBenchClient(server.address);
  try {
    await run(dataDir, server, service, client);
  } finally {
    await service.stop();
    await client.close();
    await server.stop();
    if (options.data === undefined) await rm(dataDir, { recursive: true });
  }
}

async function run(
  dataDir: string,
  server: EmbeddedServer,
  service: ServiceProcess,
  client: ClickHouseClient,
): Promise<void> {
  const { scale } = options;
  await fillOnce(client, dataDir, scale);
  const filling = await settle(client);
  const clickhouse = await readVersion(client);
  printFacts(clickhouse, filling);
  const ways = createWays(client, service.url, scale.secondsPerWay);
  const idleMb = await warmUp(service, scale);
  const bench: Bench = { client, service, ways, scale, idleMb };
  const scenarios = await measureAll(bench);
  printScenarios(scenarios);
  const load = options.isPart
    ? null
    : await measureLoad(server, service, client, scale, join(dataDir, 'second'));
  if (load !== null) printLoad(load);
  const ingest = options.ingest === undefined ? null : await measureIngest(options.ingest);
  if (ingest !== null) print(`ingest: ${JSON.stringify(ingest, undefined, 2)}`);
  if (options.json !== undefined) {
    const facts = {
      clickhouse,
      cores: cpus().length,
      node: process.version,
      date: today(),
      ...filling,
    };
    const report = { ...facts, service_idle_mb: idleMb ?? null, scenarios, ingest, load };
    await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  if (options.markdown) {
    print(
      toMarkdown(scenarios, new Map(options.scenarios.map(({ name, title }) => [name, title]))),
    );
  }
  if (options.expect) writeExpected(scenarios);
  if (options.check) checkRatios(scenarios);
}

async function measureAll(bench: Bench): Promise<ScenarioReport[]> {
  const measured: Measured[] = [];
  for (const scenario of options.scenarios) measured.push(await measure(bench, scenario));
  const { client } = bench;
  await waitForLog(client);
  const reports: ScenarioReport[] = [];
  for (const one of measured) {
    const floor = await readCost(client, 'floor', one.windows.get('floor'));
    const ours = await readCost(client, 'ours', one.windows.get('ours'));
    reports.push(toScenarioReport(one, { floor, ours }));
  }
  return reports;
}

/** Fills the project, unless `--data` names a directory that was filled in the same way before. */
async function fillOnce(client: ClickHouseClient, dataDir: string, scale: Scale): Promise<void> {
  const marker = join(dataDir, 'bench-filled.json');
  const statements = await readFile(new URL('statements.ts', import.meta.url), 'utf8');
  const { traces, largeTrace, evaluation, chains } = scale;
  const fillText = statements.slice(0, statements.indexOf('const traces'));
  const wanted = JSON.stringify({ traces, largeTrace, evaluation, chains, fillText });
  const found = await readFile(marker, 'utf8').catch(() => undefined);
  if (found === wanted) return;
  if (found !== undefined) {
    throw new Error(`${dataDir} holds another project; remove it or name another --data`);
  }
  const start = performance.now();
  await fill(client, scale);
  print(`filled in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  await writeFile(marker, wanted);
}

/**
 * Lets the service reach its everyday state: it has answered before, and knows that some of the project's usage is
 * rolled up, as it would after the first page with an SDK's trace. Returns its memory then, in MiB.
 */
async function warmUp(service: ServiceProcess, scale: Scale): Promise<number | undefined> {
  for (let page = 0; page < 10; page += 1) {
    const { status } = await askUsage(service.url, project, pageOfRoots(scale, 'sdk', 50, page));
    if (status !== 200) throw new Error(`the service answers ${status}`);
  }
  return (await readMemory(service))?.now;
}

function printFacts(clickhouse: string, { calls, activeParts, bytesOnDisk }: Filling): void {
  print(
    `ClickHouse ${clickhouse}, ${cpus().length} cores, Node ${process.version}; ${calls.toLocaleString('en')} calls in ` +
      `${activeParts} active parts of the table calls, ${Math.round(bytesOnDisk / 1_048_576)} MiB`,
  );
  print(
    'floor: the flat sum of the same merged calls per trace and model. ours: POST /calls/usage with costs.\n' +
      'Medians of interleaved runs; the ways were compared before they were timed. On inner calls and on usage\n' +
      'that SDKs have rolled up, the flat sum answers another question: what is stored for whole traces.',
  );
}

function printScenarios(scenarios: readonly ScenarioReport[]): void {
  print(toTable(scenarios));
  for (const { name, reasons } of scenarios) {
    for (const [way, reason] of Object.entries(reasons)) print(`${name}, ${way}: ${reason}`);
  }
}

function printLoad(load: LoadReport): void {
  print(
    `load: ${load.clients} clients, pages of 50 roots, ${load.seconds} s: ${load.requests} answers, ` +
      `${load.errors} errors, p50 ${load.p50_ms} ms, p99 ${load.p99_ms} ms (${load.p99_to_p50} ×), ` +
      `${load.per_second}/s; flat sum ${load.floor_per_second}/s (${load.throughput_to_floor} ×)`,
  );
  print(
    `a client that hangs up: its query is gone after ${load.hang_up_freed_ms} ms; a question that runs too long: ` +
      `${load.timeout_status}, its query gone after ${load.timeout_freed_ms} ms, ${load.timeout_kept_mb} MiB kept`,
  );
}

function checkRatios(scenarios: readonly ScenarioReport[]): void {
  const regressions = findRegressions(scenarios, readExpected());
  for (const regression of regressions) print(`slower: ${regression}`);
  if (regressions.length > 0) process.exitCode = 1;
  else print('check: no ratio is beyond its tolerance');
}

async function readVersion(client: ClickHouseClient): Promise<string> {
  const result = await client.query({ query: 'SELECT version() AS v', format: 'JSONEachRow' });
  return (await result.json<{ v: string }>())[0]?.v ?? '';
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function readOptions(): Options {
  const { values } = parseArgs({
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
  const chosen = values.quick ? quickScale : fullScale;
  const runs = values.runs === undefined ? chosen.runs : Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a whole number from 1 on');
  const scale = { ...chosen, runs };
  const all = listScenarios(scale);
  const names = values.scenario ?? all.map(({ name }) => name);
  const unknown = names.filter((name) => !all.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    const known = all.map(({ name }) => name).join(', ');
    throw new Error(`--scenario ${unknown.join(', ')}: there are ${known}`);
  }
  const scenarios = all.filter(({ name }) => names.includes(name));
  const { data, json, check, expect, markdown } = values;
  const isPart = values.scenario !== undefined;
  const isIngest = values.ingest ?? (!values.quick && !isPart);
  const ingest = isIngest ? (values.quick ? quickIngest : fullIngest) : undefined;
  return { scale, scenarios, isPart, ingest, data, json, check, expect, markdown };
}
