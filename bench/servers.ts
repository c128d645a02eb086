import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { ClickHouseClient } from '@clickhouse/client';
import { pino } from 'pino';

import { type Address, openClient } from '../src/clickhouse/client/connection.ts';
import { type EmbeddedServer, startEmbedded } from '../src/clickhouse/embedded/embedded-server.ts';

export const key = 'bench';

/** The service in a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** Starts the embedded ClickHouse with its query log, on files under `dataDir`. */
export async function startServer(dataDir: string): Promise<EmbeddedServer> {
  const log = pino({ level: 'silent' });
  // ClickHouse does not find the log of an earlier run again, and cannot make a new one beside it.
  const oldLog = join(dataDir, 'clickhouse', 'data', 'system', 'query_log');
  await rm(oldLog, { recursive: true, force: true });
  const options = { dataDir, queryLog: true, lockWaitMs: 5_000, stopTimeoutMs: 10_000, log };
  return await startEmbedded(options, new AbortController().signal);
}

/** The client through which everything but ours is asked: the one that the service has. */
export function openBenchClient(address: Address, pool = 4): ClickHouseClient {
  const limits = { pool, timeoutMs: 600_000, compression: false };
  return openClient({ ...address, database: 'calls_usage' }, limits);
}

/** Starts what `npm start` starts, on this ClickHouse, and waits until it is ready. */
export async function startServiceProcess(
  { address }: EmbeddedServer,
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const url = new URL(address.url);
  url.username = address.username;
  url.password = address.password;
  const env = { ...process.env, PORT: '0', API_KEYS: key, CLICKHOUSE_URL: url.href };
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    env: { ...env, DATA_DIR: dataDir, LOG_LEVEL: 'info', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let serviceUrl = '';
  let isReady = false;
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line) as { msg?: string; url?: string };
    if (entry.msg === 'listening') serviceUrl = entry.url ?? '';
    isReady = entry.msg === 'ClickHouse is there';
    if (isReady) break;
  }
  if (!isReady) throw new Error('the service ended while it started');
  child.stdout.resume();
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  };
  return { url: serviceUrl, process: child, stop };
}

/** `POST /calls/usage` with costs; the answer's status and text. */
export async function askUsage(
  url: string,
  project_id: string,
  call_ids: readonly string[],
  options: { readonly costs?: boolean; readonly signal?: AbortSignal } = {},
): Promise<{ status: number; text: string }> {
  const { costs = true, signal } = options;
  const body = { project_id, call_ids, include_costs: costs, limit: 2_000_000 };
  return await post(`${url}/calls/usage`, body, signal);
}

/** Sends JSON with the bench's key; the answer's status and text. */
export async function post(
  url: string,
  body: object,
  signal?: AbortSignal,
): Promise<{ status: number; text: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`api:${key}`).toString('base64')}`,
    },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.status, text: await response.text() };
}

/** Memory of the service's process that is in RAM, now and at most since the last reset, in MiB; Linux only. */
export async function readMemory(
  service: ServiceProcess,
): Promise<{ readonly now: number; readonly peak: number } | undefined> {
  const status = await readFile(`/proc/${service.process.pid}/status`, 'utf8').catch(() => '');
  const mebibytes = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 102.4) / 10;
  return status === '' ? undefined : { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
}

/** Lets the peak of the service's memory begin anew. */
export async function resetPeakMemory(service: ServiceProcess): Promise<void> {
  await writeFile(`/proc/${service.process.pid}/clear_refs`, '5').catch(() => undefined);
}
