import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Address } from '../client/connection.ts';
import {
  writeConfig,
  type ConfigFiles,
  type EmbeddedCluster,
  type Guest,
} from './server-config.ts';
import { findLibrary } from './platform.ts';
import type { Log } from '../clickhouse.ts';
import { ClickHouseUnavailableError, ClickHouseStartError } from '../errors.ts';

export interface EmbeddedOptions {
  /** DATA_DIR; the engine's files are in its directory `clickhouse`, its warnings in `clickhouse.log` there. */
  readonly dataDir: string;
  /** Keep `system.query_log`, for measuring. */
  readonly queryLog: boolean;
  /** How long an engine that another process still runs on the same files is waited for. */
  readonly lockWaitMs: number;
  /** How long the engine may take to end before it is killed. */
  readonly stopTimeoutMs: number;
  /** Who else is let in; only tests have any. */
  readonly guests?: readonly Guest[];
  /** The cluster that it is a node of, and its own TCP port; only tests and measurements have one. */
  readonly cluster?: EmbeddedCluster & { readonly tcpPort: number };
  /** The port that it takes requests on; a free one where it is absent. */
  readonly httpPort?: number;
  readonly log: Log;
}

/** A running ClickHouse of our own. */
export interface EmbeddedServer {
  readonly address: Address;
  readonly processId: number;
  /** Resolves when the process has ended, however it did, with words for it. */
  readonly ended: Promise<string>;
  /** Lets it write its files and end; kills it when that takes too long. */
  stop(): Promise<void>;
}

const processPath = fileURLToPath(new URL('server-process.js', import.meta.url));

/** The user whom the service is to its engine. */
const username = 'calls_usage';

const startTimeoutMs = 60_000;
const pollMs = 10;

/** Lines of what the engine said last that go into an error message. */
const keptLines = 20;

/**
 * Starts a ClickHouse server in a process of its own, on a free port of 127.0.0.1. It ends when this process
 * ends, however that happens, since it reads a pipe that only this process holds open.
 *
 * @throws {ClickHouseStartError} it cannot run here; the message says what to do.
 * @throws {ClickHouseUnavailableError} the signal aborted.
 */
export async function startEmbedded(
  options: EmbeddedOptions,
  signal: AbortSignal,
): Promise<EmbeddedServer> {
  const dataPath = await makeDirectory(options.dataDir);
  const deadline = Date.now() + options.lockWaitMs;
  for (let warned = false; ; warned = true) {
    try {
      return await startOnce(dataPath, options, signal);
    } catch (error) {
      if (!(error instanceof LockedError) || Date.now() > deadline) throw error;
      if (!warned) options.log.warn({ path: dataPath }, 'data directory in use, waiting for it');
    }
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}

/** Another process has the files open. */
class LockedError extends ClickHouseStartError {}

async function makeDirectory(dataDir: string): Promise<string> {
  const path = resolve(dataDir, 'clickhouse');
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return path;
  } catch (error) {
    throw new ClickHouseStartError(
      `DATA_DIR ${dataDir} cannot be used: ${(error as Error).message}. Set DATA_DIR to a directory that this user can write to.`,
      { cause: error },
    );
  }
}

async function startOnce(
  dataPath: string,
  options: EmbeddedOptions,
  signal: AbortSignal,
): Promise<EmbeddedServer> {
  const { cluster } = options;
  const password = cluster?.password ?? randomBytes(32).toString('base64url');
  const libraryPath = findLibrary();
  const { queryLog, guests = [] } = options;
  const logPath = join(dataPath, 'clickhouse.log');
  const config = { username, password, dataPath, logPath, queryLog, guests, cluster };
  const files = await writeConfig(config);
  const serverArguments = [libraryPath, ...toArguments(dataPath, files, options)];
  const server = runServer(dataPath, serverArguments, options.stopTimeoutMs);
  try {
    const port = await waitForPort(files.portPath, server, signal);
    const address = { url: `http://127.0.0.1:${port}`, username, password };
    return { ...server, address };
  } catch (error) {
    await server.stop();
    throw toStartError(error, await server.ended, options.dataDir);
  } finally {
    await files.remove();
  }
}

function runServer(
  dataPath: string,
  serverArguments: readonly string[],
  stopTimeoutMs: number,
): Omit<EmbeddedServer, 'address'> {
  const nodeArguments = ['--max-old-space-size=32', processPath];
  const child = spawn(process.execPath, [...nodeArguments, ...serverArguments], {
    cwd: dataPath,
    // A group of its own: Ctrl-C is for the service, which then ends the engine when it is done.
    detached: true,
    env: toEnvironment(),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('Logging ')) return; // It says where its log is.
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
  });
  const ended = describeEnd(child).then((end) => [end, ...lines].join('\n'));
  return { processId: child.pid ?? 0, ended, stop: () => stopProcess(child, stopTimeoutMs) };
}

function toArguments(dataPath: string, files: ConfigFiles, options: EmbeddedOptions): string[] {
  const { httpPort = 0, cluster } = options;
  const tcp = cluster === undefined ? [] : [cluster.tcpPort];
  const statements = [
    'SYSTEM START LISTEN HTTP',
    ...tcp.map(() => 'SYSTEM START LISTEN TCP'),
    `SELECT getServerPort('http_port') INTO OUTFILE '${toSqlText(files.portPath)}' FORMAT TSV`,
    // Blocks until standard input ends.
    "SELECT count() FROM file('-', 'LineAsString') FORMAT Null",
  ];
  return [
    `--config-file=${files.configPath}`,
    `--path=${dataPath}`,
    '--log-level=warning',
    '--listen_host=127.0.0.1',
    `--http_port=${httpPort}`,
    ...tcp.map((port) => `--tcp_port=${port}`),
    '--query',
    statements.join('; '),
  ];
}

function toSqlText(text: string): string {
  return text.replace(/['\\]/g, '\\$&');
}

/** Nothing of the service's own environment: keys are none of the engine's business. */
function toEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'LD_LIBRARY_PATH', 'TMPDIR', 'LANG'];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

async function describeEnd(child: ChildProcess): Promise<string> {
  try {
    const [code, signalName] = (await once(child, 'close')) as [number | null, string | null];
    return signalName === null ? `exit code ${String(code)}` : `killed by ${signalName}`;
  } catch (error) {
    return `it could not be started: ${(error as Error).message}`;
  }
}

/** The port stands in the file as soon as requests are taken. */
async function waitForPort(
  portPath: string,
  server: Pick<EmbeddedServer, 'ended'>,
  signal: AbortSignal,
): Promise<string> {
  let end: string | undefined;
  void server.ended.then((text) => (end = text));
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const text = await readFile(portPath, 'utf8').catch(() => '');
    if (/^\d+\n$/.test(text)) return text.trim();
    if (signal.aborted) throw new ClickHouseUnavailableError('The engine is closed');
    if (end !== undefined) throw new Error('The embedded ClickHouse ended while it started.');
    if (Date.now() > deadline) throw new Error('The embedded ClickHouse does not start.');
    await sleep(pollMs);
  }
}

async function stopProcess(child: ChildProcess, stopTimeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'close');
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await ended.catch(() => undefined);
  clearTimeout(timer);
}

function toStartError(error: unknown, end: string, dataDir: string): Error {
  if (error instanceof ClickHouseUnavailableError) return error;
  if (end.includes('Cannot lock file')) {
    return new LockedError(
      `DATA_DIR ${dataDir} is in use by another service. Stop that one, or give this one a DATA_DIR of its own.`,
      { cause: error },
    );
  }
  return new ClickHouseStartError(`${(error as Error).message} ${end}`, { cause: error });
}
