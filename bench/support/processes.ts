import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { pino } from 'pino';

import {
  type EmbeddedServer,
  startEmbeddedServer,
} from '../../src/clickhouse/embedded/embedded-server.ts';
import { addQueryLog, addUser } from '../../test/support/clickhouse/embedded-overrides.ts';
import { nodeArgumentsOf } from '../../test/support/package/npm-command.ts';
import { apiKey } from './usage-api.ts';

/** The service in a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** The ClickHouse user of a service without rollups, so that its queries can be told from those of the other one. */
export const liveUser = 'live';
const livePassword = 'live';

/** Starts a service that computes every answer from all calls, beside the one that has rollups. */
export async function startLiveService(
  { address }: Pick<EmbeddedServer, 'address'>,
  dataDir: string,
): Promise<ServiceProcess> {
  const user = { ...address, username: liveUser, password: livePassword };
  return await startServiceProcess({ address: user }, dataDir, { ROLLUPS: 'false' });
}

/** Starts the embedded ClickHouse with its query log, with its files in `dataDir`. */
export async function startServer(dataDir: string): Promise<EmbeddedServer> {
  const log = pino({ level: 'silent' });
  // ClickHouse does not load the query log of an earlier run, and cannot create a new one next to its files.
  const oldLog = join(dataDir, 'clickhouse', 'data', 'system', 'query_log');
  await rm(oldLog, { recursive: true, force: true });
  await addQueryLog(dataDir);
  await addUser(dataDir, { username: liveUser, password: livePassword });
  const options = { dataDir, lockWaitMs: 5_000, stopTimeoutMs: 10_000, log };
  return await startEmbeddedServer(options, new AbortController().signal);
}

/** Starts what `npm start` starts, on this ClickHouse; resolves when the service is ready. */
export async function startServiceProcess(
  { address }: Pick<EmbeddedServer, 'address'>,
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const clickhouseUrl = new URL(address.url);
  clickhouseUrl.username = address.username;
  clickhouseUrl.password = address.password;
  const child = spawn(process.execPath, nodeArgumentsOf('start'), {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: {
      ...process.env,
      PORT: '0',
      API_KEYS: apiKey,
      CLICKHOUSE_URL: clickhouseUrl.href,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'info',
      DRAIN_MS: '0',
      // The whole project.
      STATS_MAX_CALLS: '10000000',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await readUrl(createInterface(child.stdout));
  child.stdout.resume();
  await waitUntilReady(child, url);
  return { url, process: child, stop: () => stopProcess(child) };
}

async function readUrl(logLines: AsyncIterable<string>): Promise<string> {
  for await (const line of logLines) {
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
    if (msg === 'listening' && url !== undefined) return url;
  }
  throw new Error('the service exited before it listened');
}

async function waitUntilReady(child: ChildProcess, url: string): Promise<void> {
  while (child.exitCode === null) {
    const { ok } = await fetch(`${url}/health`);
    if (ok) return;
    await sleep(50);
  }
  throw new Error('the service exited before it was ready');
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

/** Resident memory of the service's process, now and the peak since the last reset, in MiB; Linux only. */
export async function readMemory(
  service: ServiceProcess,
): Promise<{ readonly now: number; readonly peak: number } | undefined> {
  const status = await readFile(`/proc/${service.process.pid}/status`, 'utf8').catch(() => '');
  const mebibytes = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 102.4) / 10;
  return status === '' ? undefined : { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
}

/** Resets the peak that {@link readMemory} returns. */
export async function resetPeakMemory(service: ServiceProcess): Promise<void> {
  await writeFile(`/proc/${service.process.pid}/clear_refs`, '5').catch(() => undefined);
}

/** Processor time of a process, in seconds; NaN except on Linux. */
export async function readProcessorSeconds(processId: number): Promise<number> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
