import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Two keys that may do everything: one that abuses, one that works beside it. */
export const keys = { abuser: 'abuser', other: 'other' } as const;

/** Heap of the service, worker threads included, in MiB. */
const heapMb = 512;

/** The service as `npm start` starts it, in a process of its own, with its embedded ClickHouse. */
export interface AbusedService {
  readonly url: string;
  readonly processId: number;
  /** Resident memory of the service's process, ClickHouse apart, in MiB. */
  memoryMb(): Promise<number>;
  /** Open descriptors of the service's process. */
  descriptors(): Promise<number>;
  /** Process id of the embedded ClickHouse. */
  clickhouseProcessId(): Promise<number>;
  /** Lines that it logged so far. */
  readonly logLines: readonly string[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/**
 * Starts the service and waits until it listens.
 * @param isReadyWanted wait until ClickHouse can be used, too
 */
export async function startService(
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
  isReadyWanted = true,
): Promise<AbusedService> {
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, 'dist/src/main.js'], {
    env: {
      ...process.env,
      ...{ PORT: '0', API_KEYS: Object.values(keys).join(','), DATA_DIR: dataDir },
      DRAIN_MS: '0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const logLines: string[] = [];
  const url = await readUrl(child, logLines);
  const service: AbusedService = {
    ...{ url, processId: child.pid ?? 0, logLines, ended },
    memoryMb: () => readMemoryMb(child.pid ?? 0),
    descriptors: async () => (await readdir(`/proc/${child.pid}/fd`)).length,
    clickhouseProcessId: () => readChildId(child.pid ?? 0),
    kill: (signal) => child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
  if (isReadyWanted) await waitUntil(async () => (await health(url)) === 200, 60_000);
  return service;
}

async function readUrl(child: ChildProcess, logLines: string[]): Promise<string> {
  if (child.stdout === null) throw new TypeError('The service has no standard output.');
  const lines = createInterface(child.stdout);
  return await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      logLines.push(line);
      const url = /"url":"(http[^"]+)","msg":"listening"/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    lines.on('close', () => reject(new Error(`The service has ended:\n${logLines.join('\n')}`)));
  });
}

async function health(url: string): Promise<number> {
  return await fetch(`${url}/health`).then(
    ({ status }) => status,
    () => 0,
  );
}

/** @throws when it does not come true in time */
export async function waitUntil(check: () => Promise<boolean>, timeoutMs: number): Promise<number> {
  const start = performance.now();
  while (!(await check())) {
    if (performance.now() - start > timeoutMs) throw new Error(`Not so after ${timeoutMs} ms.`);
    await sleep(50);
  }
  return performance.now() - start;
}

async function readMemoryMb(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function readChildId(processId: number): Promise<number> {
  const text = await readFile(`/proc/${processId}/task/${processId}/children`, 'utf8');
  return Number(text.trim().split(' ')[0]);
}

/** Follows the service's memory and how fast `/livez` is answered, until it is stopped. */
export interface Watch {
  /** Peak of the resident memory above what it was when the watch began, in MiB, and /livez in milliseconds. */
  stop(): Promise<{ readonly aboveIdleMb: number; readonly livezP99Ms: number }>;
}

const probe = `
const url = process.argv[1];
const times = [];
process.on('message', () => process.send(times, () => process.exit()));
(async () => {
  for (;;) {
    const start = performance.now();
    await fetch(url + '/livez').then((answer) => answer.text(), () => undefined);
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
})();`;

/** The prober is a process of its own: this one is busy with the abuse. */
export async function watch(service: AbusedService): Promise<Watch> {
  const prober = spawn(process.execPath, ['-e', probe, service.url], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  // Its first probes are answered by then.
  await sleep(500);
  const idleMb = await service.memoryMb();
  let peakMb = idleMb;
  const sampler = setInterval(() => {
    void service.memoryMb().then(
      (memoryMb) => (peakMb = Math.max(peakMb, memoryMb)),
      () => undefined,
    );
  }, 20);
  return {
    stop: async () => {
      clearInterval(sampler);
      prober.send('stop');
      const [times] = (await once(prober, 'message')) as [number[]];
      const sorted = times.toSorted((a, b) => a - b);
      const livezP99Ms = sorted[Math.floor(0.99 * (sorted.length - 1))] ?? Infinity;
      return { aboveIdleMb: peakMb - idleMb, livezP99Ms };
    },
  };
}
