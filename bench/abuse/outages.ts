import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Answer, post, project } from './requests.ts';
import type { Outcome, Scenario } from './scenario.ts';
import { keys, startService, waitUntil } from './service.ts';

/** ClickHouse that hangs or has damaged files, and a service that is told to end. */
export const outageScenarios: readonly Scenario[] = [
  {
    name: 'ClickHouse stopped (SIGSTOP) for 20 s, 3 probes a second',
    bound: 'every probe answered within 6 s; recovery within 2 s of SIGCONT',
    run: hungClickHouse,
  },
  ...(['merged_calls', 'call_traces'] as const).map((table): Scenario => ({
    name: `a part of ${table} truncated, then a start`,
    bound: 'rebuilt, and the answer is right',
    run: (dataDir) => damagedDerivedTable(dataDir, table),
  })),
  {
    name: 'a part of call_parts truncated, then a start',
    bound: 'refused with the reason',
    run: damagedCallParts,
  },
  {
    name: 'SIGTERM under 8 clients with DRAIN_MS 3000',
    bound: 'no request refused before /readyz was 503 for 3 s; 0 acknowledged calls lost',
    run: drain,
  },
];

function call(id: string): object {
  return {
    ...{ project_id: project, id, trace_id: id, op_name: 'op', attributes: {}, inputs: {} },
    ...{ started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T00:00:01Z' },
    summary: { usage: { model: { requests: 1, prompt_tokens: 7 } } },
  };
}

async function complete(url: string, id: string): Promise<Answer> {
  return await post(url, `/v2/${project}/calls/complete`, { batch: [call(id)] }, keys.other);
}

async function hungClickHouse(dataDir: string): Promise<Outcome> {
  const service = await startService(dataDir);
  try {
    const clickhouse = await service.clickhouseProcessId();
    const times: number[] = [];
    const probe = async (): Promise<void> => {
      const start = performance.now();
      await fetch(`${service.url}/health`).then(
        (answer) => answer.text(),
        () => undefined,
      );
      times.push(performance.now() - start);
    };
    process.kill(clickhouse, 'SIGSTOP');
    const probes: Promise<void>[] = [];
    for (let sent = 0; sent < 60; sent += 1) {
      probes.push(probe());
      await sleep(333);
    }
    process.kill(clickhouse, 'SIGCONT');
    const recoveredMs = await waitUntil(
      async () => (await fetch(`${service.url}/health`)).status === 200,
      60_000,
    );
    await Promise.all(probes);
    const slowest = Math.max(...times);
    return {
      measured: `${times.length} probes, slowest ${(slowest / 1000).toFixed(1)} s; recovered after ${(recoveredMs / 1000).toFixed(1)} s`,
      isWithinBound: slowest <= 6_000 && recoveredMs <= 2_000,
    };
  } finally {
    await service.stop();
  }
}

/** Fills a service and ends it, then cuts the largest file of a table's newest part in half. */
async function damage(dataDir: string, table: string): Promise<void> {
  const service = await startService(dataDir);
  for (let sent = 0; sent < 10; sent += 1) {
    const batch = Array.from({ length: 200 }, (_, index) => call(`d-${sent}-${index}`));
    await post(service.url, `/v2/${project}/calls/complete`, { batch });
  }
  await service.stop();
  const folder = join(dataDir, 'clickhouse', 'data', 'calls_usage', table);
  const parts = (await readdir(folder)).filter((name) => /^all_\d+_\d+_\d+/.test(name)).sort();
  const part = join(folder, parts.at(-1) ?? '');
  const files = (await readdir(part)).filter((name) => name.endsWith('.bin'));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(part, name))).size));
  const largest = sizes.indexOf(Math.max(...sizes));
  await truncate(join(part, files[largest] ?? ''), Math.floor((sizes[largest] ?? 0) / 2));
}

const allIds = Array.from(
  { length: 2_000 },
  (_, index) => `d-${Math.floor(index / 200)}-${index % 200}`,
);

async function damagedDerivedTable(dataDir: string, table: string): Promise<Outcome> {
  await damage(dataDir, table);
  const service = await startService(dataDir);
  try {
    const { status, text } = await post(service.url, '/calls/usage', {
      ...{ project_id: project, call_ids: allIds },
    });
    const tokens = [...text.matchAll(/"prompt_tokens":(\d+)/g)].map(([, sum]) => Number(sum));
    const sum = tokens.reduce((total, each) => total + each, 0);
    const lines = service.logLines.filter((line) => /detached|rebuil/i.test(line)).length;
    return {
      measured: `${status}, ${sum} of ${7 * allIds.length} tokens, ${lines} log lines about it`,
      isWithinBound: status === 200 && sum === 7 * allIds.length && lines > 0,
    };
  } finally {
    await service.stop();
  }
}

async function damagedCallParts(dataDir: string): Promise<Outcome> {
  await damage(dataDir, 'call_parts');
  const service = await startService(dataDir, {}, false);
  try {
    await waitUntil(
      async () => !(await (await fetch(`${service.url}/health`)).text()).includes('starting'),
      60_000,
    );
    const health = await fetch(`${service.url}/health`);
    const usage = await post(service.url, '/calls/usage', {
      project_id: project,
      call_ids: ['d-0-0'],
    });
    const text = await health.text();
    return {
      measured: `/health ${health.status} ${text}; /calls/usage ${usage.status}`,
      isWithinBound:
        health.status === 503 && usage.status === 503 && /damage|lost|detached/i.test(text),
    };
  } finally {
    await service.stop();
  }
}

async function drain(dataDir: string): Promise<Outcome> {
  const service = await startService(dataDir, { DRAIN_MS: '3000' });
  const acknowledged: string[] = [];
  const refusedAt: number[] = [];
  let isEnding = false;
  const clients = Array.from({ length: 8 }, async (_, client) => {
    for (let sent = 0; !isEnding; sent += 1) {
      const id = `s-${client}-${sent}`;
      const { status } = await complete(service.url, id);
      if (status === 200) acknowledged.push(id);
      else refusedAt.push(performance.now());
    }
  });
  await sleep(2_000);
  service.kill('SIGTERM');
  const unreadyAt = await waitForUnready(service.url);
  await service.ended;
  isEnding = true;
  await Promise.all(clients);
  const first = Math.min(...refusedAt) - unreadyAt;
  const lost = await countLost(dataDir, acknowledged);
  return {
    measured: `${acknowledged.length} acknowledged, ${lost} lost; first refusal ${(first / 1000).toFixed(1)} s after /readyz was 503`,
    isWithinBound: lost === 0 && first >= 2_900,
  };
}

async function waitForUnready(url: string): Promise<number> {
  for (;;) {
    const { status } = await fetch(`${url}/readyz`);
    if (status === 503) return performance.now();
    await sleep(5);
  }
}

async function countLost(dataDir: string, ids: readonly string[]): Promise<number> {
  const service = await startService(dataDir);
  try {
    let found = 0;
    for (let from = 0; from < ids.length; from += 1_000) {
      const call_ids = ids.slice(from, from + 1_000);
      const { text } = await post(service.url, '/calls/usage', { project_id: project, call_ids });
      found += [...text.matchAll(/"prompt_tokens":7\b/g)].length;
    }
    return ids.length - found;
  } finally {
    await service.stop();
  }
}
