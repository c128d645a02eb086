import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { statSync, watch } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { expect, inject, onTestFinished, test } from 'vitest';

import { parseCurl } from '../support/http/curl.ts';
import { basicAuthorization, testKey } from '../support/http/service.ts';
import { nodeArgumentsOf, runNode } from '../support/package/npm-command.ts';
import {
  compiledFiles,
  copyPackage,
  listProductionModules,
} from '../support/package/package-copy.ts';

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-start-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * Copies what the image `remote` has. Its packages are symbolic links; with `--preserve-symlinks` they find only each
 * other, not the packages beside their targets.
 */
async function copyRemoteImage() {
  const cwd = await copyPackage(compiledFiles, listProductionModules());
  return { cwd, command: ['--preserve-symlinks', ...nodeArgumentsOf('start')] };
}

/** Starts Node with the umask 0, so that the modes of files are those which the service chose. */
function startWithoutUmask(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env: NodeJS.ProcessEnv },
): ChildProcess {
  const script = ['-c', 'umask 0; exec "$0" "$@"', process.execPath, ...command];
  const child = spawn('/bin/sh', script, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Resolves when ClickHouse can be used, then ends the service. */
async function waitUntilReadyAndStop(service: ChildProcess): Promise<number | null> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: service.stdout! })) {
    lines.push(line);
    if (line.includes('"ClickHouse is ready"')) break;
  }
  expect(lines.at(-1)).toContain('"ClickHouse is ready"');
  service.stdout!.resume();
  const exit = once(service, 'exit');
  service.kill('SIGTERM');
  const [code] = (await exit) as [number | null];
  return code;
}

test('without optional packages and temporary directory the service runs on CLICKHOUSE_URL', async () => {
  const { cwd, command } = await copyRemoteImage();
  const { url, username, password } = inject('clickhouse');
  const service = startWithoutUmask(command, {
    cwd,
    env: {
      ...{ PORT: '0', API_KEYS: testKey, TMPDIR: join(cwd, 'no-such-directory') },
      ...{ CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password },
      CLICKHOUSE_DATABASE: `start_${randomBytes(4).toString('hex')}`,
    },
  });
  expect(await waitUntilReadyAndStop(service)).toBe(0);
});

test('without optional packages and CLICKHOUSE_URL the service says in one line what to do', async () => {
  const { cwd, command } = await copyRemoteImage();
  const env = { PORT: '0', API_KEYS: testKey, DATA_DIR: await makeDirectory() };
  const { code, stderr } = await runNode(command, { cwd, env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^The embedded ClickHouse is not installed[^\n]+CLICKHOUSE_URL[^\n]+\n$/);
});

test('without keys in the settings the service prints the address of its page and a first call, which it shows there', async () => {
  const service = startWithoutUmask(nodeArgumentsOf('start'), {
    env: { PORT: '0', DATA_DIR: join(await makeDirectory(), 'data') },
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: service.stdout! })) {
    lines.push(line);
    if (line.startsWith("  -H 'content-type")) break;
  }
  const [, page = '', keyFile = ''] =
    /^The page: (\S+) .* in (.*)\)$/.exec(lines.at(-4) ?? '') ?? [];
  const { url, user, body } = parseCurl(lines.slice(-2).join('\n'));
  expect(user).toBe(`api:$(cat '${keyFile}')`);
  const headers = {
    authorization: basicAuthorization((await readFile(keyFile, 'utf8')).trim()),
    'content-type': 'application/json',
  };

  expect((await fetch(page, { headers })).status).toBe(200);
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
  const start = new Date(Date.now() - 3_600_000).toISOString();
  const stats = await fetch(new URL('/calls/stats', page), {
    ...{ method: 'POST', headers },
    body: JSON.stringify({
      ...{ project_id: new URL(page).searchParams.get('project'), start },
      call_metrics: [{ metric: 'call_count' }],
    }),
  });
  const { call_buckets } = (await stats.json()) as { call_buckets: { sum_call_count: number }[] };
  expect(call_buckets.reduce((sum, bucket) => sum + bucket.sum_call_count, 0)).toBe(1);
});

// Other users of the machine can write into it: what is loaded from there, they could have put there.
test('the service writes into the temporary directory only what its ClickHouse needs, readable by its user only', async () => {
  const temporaryDirectory = await makeDirectory();
  await chmod(temporaryDirectory, 0o1777);
  const modes = new Map<string, number>();
  const watcher = watch(temporaryDirectory, (_, name) => {
    const stats = statSync(join(temporaryDirectory, name ?? ''), { throwIfNoEntry: false });
    if (stats !== undefined) modes.set(name ?? '', stats.mode & 0o777);
  });
  const service = startWithoutUmask(nodeArgumentsOf('start'), {
    env: {
      ...{ PORT: '0', API_KEYS: testKey, TMPDIR: temporaryDirectory },
      DATA_DIR: join(await makeDirectory(), 'data'),
    },
  });
  expect(await waitUntilReadyAndStop(service)).toBe(0);
  watcher.close();

  expect([...modes]).toEqual([[expect.stringMatching(/^calls-usage-clickhouse-\w+$/), 0o700]]);
  expect(await readdir(temporaryDirectory)).toEqual([]);
});
