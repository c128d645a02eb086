/**
 * Measures a page of 100 traces of 100 calls each, in a project of a million calls: POST /calls/usage over HTTP
 * with costs, beside the flat sum over the same rows, which no rollup can be cheaper than, through the same
 * client; then how much the service's memory grows over a trace of 100,000 calls. `npm run bench`; about a minute.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { ClickHouseClient } from '@clickhouse/client';
import { pino } from 'pino';

import { openClient } from '../src/engine/connection.ts';
import { type EmbeddedServer, startEmbedded } from '../src/engine/embedded.ts';

const project = 'bench/page';
const key = 'bench';
const runs = 21;
const pages = { 'own usage': 'own', 'rolled-up usage': 'rolled_up' } as const;

/** Of each kind: half of the project says what each call used, half has children's usage added to their parents'. */
const traces = 5_000;
const callsPerTrace = 100;

interface Service {
  readonly url: string;
  readonly process: ChildProcess;
}

await main();

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-bench-'));
  const log = pino({ level: 'silent' });
  const options = { dataDir, queryLog: false, lockWaitMs: 0, stopTimeoutMs: 10_000, log };
  const server = await startEmbedded(options, new AbortController().signal);
  const service = await startServiceProcess(server, dataDir);
  const limits = { pool: 4, timeoutMs: 600_000, compression: false };
  const client = openClient({ ...server.address, database: 'calls_usage' }, limits);
  try {
    await load(client);
    await report(service, client);
  } finally {
    service.process.kill('SIGTERM');
    await once(service.process, 'exit');
    await client.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function startServiceProcess(server: EmbeddedServer, dataDir: string): Promise<Service> {
  const address = new URL(server.address.url);
  address.username = server.address.username;
  address.password = server.address.password;
  const env = { ...process.env, PORT: '0', API_KEYS: key, CLICKHOUSE_URL: address.href };
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    env: { ...env, DATA_DIR: dataDir, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let url = '';
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line) as { msg?: string; url?: string };
    url = entry.url ?? url;
    if (entry.msg === 'ClickHouse is there') break;
  }
  child.stdout.resume();
  return { url, process: child };
}

/** Fills the project through `call_parts`, as a pipeline of one's own would. */
async function load(client: ClickHouseClient): Promise<void> {
  for (const rollup of Object.values(pages)) {
    await insertTraces(client, rollup, traces, callsPerTrace);
  }
  await insertTraces(client, 'large', 1, 100_000);
  await client.command({ query: 'OPTIMIZE TABLE calls FINAL' });
  await client.command({ query: 'OPTIMIZE TABLE call_traces FINAL' });
}

/**
 * A root with nine children, among whom all other calls are divided. Every call uses one request and ten tokens
 * of each kind, of one of four models a trace.
 */
async function insertTraces(
  client: ClickHouseClient,
  name: string,
  count: number,
  size: number,
): Promise<void> {
  await client.command({
    query: `
      INSERT INTO call_parts
        (project_id, id, kind, trace_id, parent_id, started_at, ended_at, attributes_dump, summary_dump)
      WITH
        multiIf({name:String} != 'rolled_up' OR call > 9, 1, call = 0, {size:UInt32}, 1 + intDiv({size:UInt32} - 10, 9)) AS subtree,
        toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL trace SECOND AS start,
        concat({name:String}, '-', toString(trace), '-') AS prefix
      SELECT
        {project:String} AS project_id, concat(prefix, toString(call)) AS id, 'whole' AS kind,
        lower(hex(sipHash128(prefix))) AS trace_id,
        if(call = 0, '', concat(prefix, toString(if(call < 10, 0, 1 + call % 9)))) AS parent_id,
        start AS started_at, start + INTERVAL 1 SECOND AS ended_at,
        concat('{"weave":{"usage_rollup":"', {name:String}, '"}}') AS attributes_dump,
        concat('{"usage":{"', ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash'][1 + trace % 4],
          '":{"requests":', toString(subtree), ',"prompt_tokens":', toString(10 * subtree),
          ',"completion_tokens":', toString(10 * subtree), '}}}') AS summary_dump
      FROM (SELECT intDiv(number, {size:UInt32}) AS trace, number % {size:UInt32} AS call FROM numbers({rows:UInt64}))`,
    query_params: { project, name, size, rows: count * size },
  });
}

async function report(service: Service, client: ClickHouseClient): Promise<void> {
  const print = console.log;
  print(
    `${project}: ${2 * traces * callsPerTrace + 100_000} calls; ${cpus().length} cores; ${runs} runs`,
  );
  for (const [title, name] of Object.entries(pages)) {
    const ids = Array.from({ length: 100 }, (_, i) => `${name}-${i * 37}-0`);
    checkTotals(await ask(service, ids, true));
    const times = { floor: [] as number[], costs: [] as number[], plain: [] as number[] };
    for (let run = 0; run < runs + 2; run += 1) {
      // The first two runs warm up.
      const keep = run < 2 ? () => undefined : (list: number[], ms: number) => void list.push(ms);
      keep(times.floor, await time(() => flatSum(client, ids)));
      keep(times.costs, await time(() => ask(service, ids, true)));
      keep(times.plain, await time(() => ask(service, ids, false)));
    }
    const [floor, costs, plain] = [times.floor, times.costs, times.plain].map(median);
    print(
      `100 roots × 100 calls, ${title}: flat sum ${floor} ms, POST /calls/usage ${costs} ms with costs` +
        ` (${(Number(costs) / Number(floor)).toFixed(2)}×), ${plain} ms without`,
    );
  }
  const before = await residentMb(service);
  const large = await time(() => ask(service, ['large-0-0'], true));
  const after = await residentMb(service);
  print(
    `trace of 100,000 calls: ${large} ms; the service's memory ${before} MB before, ${after} MB after`,
  );
}

/** Every one of the page's traces used ten prompt tokens a call, however it was stored. */
function checkTotals(answer: string): void {
  const found = [...answer.matchAll(/"prompt_tokens":(\d+)/g)].map(([, tokens]) => Number(tokens));
  if (found.length === 100 && found.every((tokens) => tokens === 10 * callsPerTrace)) return;
  throw new Error(`wrong totals: ${answer.slice(0, 500)}`);
}

async function flatSum(client: ClickHouseClient, ids: readonly string[]): Promise<void> {
  const result = await client.query({
    query: `
      SELECT trace_id, used.model AS model, sum(used.requests), sum(used.prompt), sum(used.completion), sum(used.total)
      FROM calls FINAL ARRAY JOIN usage AS used
      WHERE project_id = {project:String} AND trace_id IN (
        SELECT trace_id FROM call_traces FINAL WHERE project_id = {project:String}
          AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({ids:Array(String)})))))
      GROUP BY trace_id, model`,
    query_params: { project, ids },
    format: 'JSONEachRow',
  });
  if ((await result.json()).length !== ids.length) throw new Error('the flat sum misses rows');
}

async function ask(service: Service, call_ids: readonly string[], costs: boolean): Promise<string> {
  const response = await fetch(`${service.url}/calls/usage`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`api:${key}`).toString('base64')}`,
    },
    body: JSON.stringify({ project_id: project, call_ids, include_costs: costs, limit: 1_000_000 }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${answer}`);
  return answer;
}

async function time(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return Math.round(performance.now() - start);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Memory of the service's process that is in RAM. */
async function residentMb(service: Service): Promise<number> {
  const status = await readFile(`/proc/${service.process.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}
