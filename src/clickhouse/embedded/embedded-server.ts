import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Address } from '../client/open-client.ts';
import type { Log } from '../clickhouse.ts';
import { ClickHouseUnavailableError, ClickHouseStartError } from '../errors.ts';
import { findLibrary } from './platform.ts';
import { writeConfigFiles, type ConfigFiles } from './server-config.ts';

export interface ServerOptions {
  /** DATA_DIR; the server's files are in its folder `clickhouse`, its warnings in `clickhouse.log` there. */
  readonly dataDir: string;
  /** How long to wait for the files of a server that another process still runs. */
  readonly lockWaitMs: number;
  /** How long the server may take to stop before it is killed. */
  readonly stopTimeoutMs: number;
  readonly log: Log;
}

/** A running ClickHouse server in a child process. */
export interface EmbeddedServer {
  readonly address: Address;
  readonly processId: number;
  /** Resolves with a description when the process has exited for any reason. */
  readonly ended: Promise<string>;
  /** Ends the process at once, even if it is stopped or hangs; no acknowledged row is lost. */
  kill(): void;
  /** Lets the server write its files and exit; kills it after `stopTimeoutMs`. */
  stop(): Promise<void>;
}

const lockPollMs = 200;

/**
 * Starts a ClickHouse server in a child process, on a free port of 127.0.0.1. It exits when this process exits for any
 * reason, because it reads a pipe that only this process holds open.
 *
 * @throws {ClickHouseStartError} it cannot run here; the message says what to do.
 * @throws {ClickHouseUnavailableError} the signal aborted.
 */
export async function startEmbeddedServer(
  options: ServerOptions,
  signal: AbortSignal,
): Promise<EmbeddedServer> {
  const dataPath = await makeDataDirectory(options.dataDir);
  const deadline = Date.now() + options.lockWaitMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await startOnce(dataPath, options, signal);
    } catch (error) {
      if (!(error instanceof LockedError) || Date.now() > deadline) throw error;
      if (isFirst)
        options.log.warn({ path: dataPath }, 'waiting for the lock of the data directory');
    }
    await sleep(lockPollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Another process has locked the files. */
class LockedError extends ClickHouseStartError {}

async function makeDataDirectory(dataDir: string): Promise<string> {
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

/** The user as whom the service logs in to its embedded server. */
const username = 'calls_usage';

async function startOnce(
  dataPath: string,
  { dataDir, stopTimeoutMs }: ServerOptions,
  signal: AbortSignal,
): Promise<EmbeddedServer> {
  const libraryPath = await findLibrary();
  const password = randomBytes(32).toString('base64url');
  const logPath = join(dataPath, 'clickhouse.log');
  const files = await writeConfigFiles({ username, password, dataPath, logPath });
  const server = spawnServer(
    dataPath,
    [libraryPath, ...toArguments(dataPath, files)],
    stopTimeoutMs,
  );
  try {
    const port = await waitForPort(files.portPath, server, signal);
    return { ...server, address: { url: `http://127.0.0.1:${port}`, username, password } };
  } catch (error) {
    await server.stop();
    throw toStartError(error, await server.ended, dataDir);
  } finally {
    await files.remove();
  }
}

const processPath = fileURLToPath(new URL('server-process.js', import.meta.url));

/** How many of the last lines of the server's standard error are part of an error message. */
const maxErrorLines = 20;

function spawnServer(
  dataPath: string,
  serverArguments: readonly string[],
  stopTimeoutMs: number,
): Omit<EmbeddedServer, 'address'> {
  const nodeArguments = ['--max-old-space-size=32', processPath];
  const child = spawn(process.execPath, [...nodeArguments, ...serverArguments], {
    cwd: dataPath,
    // Its own process group: Ctrl-C reaches only the service, which stops the server after its last request.
    detached: true,
    env: toEnvironment(),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('Logging ')) return; // The path of its log.
    lines.push(line);
    if (lines.length > maxErrorLines) lines.shift();
  });
  const ended = describeExit(child).then((exit) => [exit, ...lines].join('\n'));
  return {
    processId: child.pid ?? 0,
    ended,
    kill: () => void child.kill('SIGKILL'),
    stop: () => stopProcess(child, stopTimeoutMs),
  };
}

function toArguments(dataPath: string, files: ConfigFiles): string[] {
  const statements = [
    'SYSTEM START LISTEN HTTP',
    `SELECT getServerPort('http_port') INTO OUTFILE '${toSqlText(files.portPath)}' FORMAT TSV`,
    // Blocks until standard input is closed.
    "SELECT count() FROM file('-', 'LineAsString') FORMAT Null",
  ];
  return [
    `--config-file=${files.configPath}`,
    `--path=${dataPath}`,
    '--log-level=warning',
    '--listen_host=127.0.0.1',
    '--query',
    statements.join('; '),
  ];
}

function toSqlText(text: string): string {
  return text.replace(/['\\]/g, '\\$&');
}

/** Not the whole environment of the service, which contains API keys. */
function toEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'LD_LIBRARY_PATH', 'TMPDIR', 'LANG'];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

async function describeExit(child: ChildProcess): Promise<string> {
  try {
    const [code, signalName] = (await once(child, 'close')) as [number | null, string | null];
    return signalName === null ? `exit code ${String(code)}` : `killed by ${signalName}`;
  } catch (error) {
    return `it could not be started: ${(error as Error).message}`;
  }
}

const startTimeoutMs = 60_000;
const portPollMs = 10;

/** Reads the port, which the server writes as soon as it accepts requests. */
async function waitForPort(
  portPath: string,
  server: Pick<EmbeddedServer, 'ended'>,
  signal: AbortSignal,
): Promise<string> {
  let exit: string | undefined;
  void server.ended.then((description) => (exit = description));
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const text = await readFile(portPath, 'utf8').catch(() => '');
    if (/^\d+\n$/.test(text)) return text.trim();
    if (signal.aborted) throw new ClickHouseUnavailableError('ClickHouse is closed');
    if (exit !== undefined) throw new Error('The embedded ClickHouse exited during its start.');
    if (Date.now() > deadline) throw new Error('The embedded ClickHouse does not start.');
    await sleep(portPollMs);
  }
}

async function stopProcess(child: ChildProcess, stopTimeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await closed.catch(() => undefined);
  clearTimeout(timer);
}

function toStartError(error: unknown, exit: string, dataDir: string): Error {
  if (error instanceof ClickHouseUnavailableError) return error;
  if (exit.includes('Cannot lock file')) {
    return new LockedError(
      `DATA_DIR ${dataDir} is in use by another service. Stop that one, or give this one a DATA_DIR of its own.`,
      { cause: error },
    );
  }
  if (exit.includes('Suspiciously many')) {
    return new ClickHouseStartError(
      `More parts of a table in DATA_DIR ${dataDir} are damaged than max_suspicious_broken_parts and max_suspicious_broken_parts_bytes allow, so ClickHouse does not load it. Restore a backup, or see docs/operations.md to load what can be read. ${exit}`,
      { cause: error },
    );
  }
  return new ClickHouseStartError(`${(error as Error).message} ${exit}`, { cause: error });
}
