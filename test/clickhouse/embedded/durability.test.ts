import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMigrations } from '../../../src/clickhouse/schema/migrations.ts';
import { readRows, toQueries } from '../../support/clickhouse.ts';
import { openService, type TestService } from '../../support/service.ts';
import { makeDirectory, startEmbeddedClickHouse } from '../../support/embedded-clickhouse.ts';
import { promptTokens, promptUsage, toProject, type Project } from '../../support/usage-client.ts';

const projectId = 'team/durability';
const clients = 6;
const callsPerBatch = 25;
const batches = Array.from({ length: 100 }, (_, batch) => batch);

const queries = toQueries({
  parts: `SELECT trace_id, id, kind, toUInt32(count()) AS count FROM call_parts FINAL
    WHERE project_id = {project_id: String} GROUP BY ALL`,
});

let directory: Awaited<ReturnType<typeof makeDirectory>>;
beforeAll(async () => {
  directory = await makeDirectory();
});
afterAll(() => directory.remove());

/** A service with an engine of its own on the test's directory. */
async function open(): Promise<{ service: TestService; project: Project }> {
  const service = await openService({ CLICKHOUSE_URL: '', DATA_DIR: directory.path });
  await service.ready;
  return { service, project: toProject(service, projectId) };
}

/** Kills the engine as nothing can be caught; the service starts another one. */
async function killEngine(): Promise<void> {
  const status = await readFile(join(directory.path, 'clickhouse', 'status'), 'utf8');
  process.kill(Number(/^PID: (\d+)$/m.exec(status)?.[1]), 'SIGKILL');
}

/** A batch: a trace of a root and children, each as start and end, the end without its trace. */
function itemsOf(project: Project, batch: number): object[] {
  return callsOf(batch).flatMap((id, index) => {
    const parent = index === 0 ? undefined : callsOf(batch)[0];
    const shape = { id, trace: `trace-${batch}`, parent, usage: promptUsage(1 + batch) };
    return [project.endItem(shape), project.startItem(shape)];
  });
}

function callsOf(batch: number): string[] {
  return Array.from({ length: callsPerBatch }, (_, index) => `call-${batch}-${index}`);
}

/** Prompt tokens of the root of a batch that is there once: those of each of its calls. */
const tokensOf = (batch: number): number => callsPerBatch * (1 + batch);

const sendOnce = async (service: TestService, batch: number): Promise<boolean> => {
  const items = itemsOf(toProject(service, projectId), batch);
  const answer = await service.send('/call/upsert_batch', { body: { batch: items } });
  if (answer.status !== 200) {
    expect(answer.status, answer.text).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  return answer.status === 200;
};

const untilHealthy = (service: TestService): Promise<void> =>
  expect.poll(async () => (await service.send('/health')).status).toBe(200);

/** Sends all batches by several clients at once, and kills the engine when some have been taken. */
async function sendAll(
  service: TestService,
  isRetrying: boolean,
  killAt: readonly number[],
): Promise<{ taken: Set<number>; refused: number }> {
  const taken = new Set<number>();
  let refused = 0;
  const work = batches.values();
  const send = async (batch: number): Promise<void> => {
    while (!(await sendOnce(service, batch))) {
      refused += 1;
      await untilHealthy(service);
      if (!isRetrying) return;
    }
    taken.add(batch);
    if (killAt.includes(taken.size)) await killEngine();
  };
  const client = async (): Promise<void> => {
    for (const batch of work) await send(batch);
  };
  await Promise.all(Array.from({ length: clients }, client));
  await untilHealthy(service);
  return { taken, refused };
}

/** Prompt tokens of each batch's root, as POST /calls/usage says. */
async function askAll(project: Project): Promise<number[]> {
  const roots = batches.map((batch) => `call-${batch}-0`);
  const answer = await project.queryUsage(roots);
  return roots.map((root) => promptTokens(answer, root));
}

/** How often each part is stored, by batch, read when the service is gone. */
async function readParts(): Promise<Map<string, number[]>> {
  const { clickhouse } = await startEmbeddedClickHouse(directory.path, {
    queries,
    migrations: readMigrations(),
  });
  const rows = await readRows<{ trace_id: string; count: number }>(clickhouse, 'parts', {
    project_id: projectId,
  });
  await clickhouse.close();
  const counts = new Map<string, number[]>();
  for (const { trace_id, count } of rows) {
    counts.set(trace_id, [...(counts.get(trace_id) ?? []), count]);
  }
  return counts;
}

/** Each call's start and end, once. */
const once = Array.from({ length: 2 * callsPerBatch }, () => 1);

describe('kill -9 of the engine during a hundred batches', { timeout: 180_000 }, () => {
  let taken = new Set<number>();

  test('that nobody sends again: those answered 2xx are there once, none is there twice', async () => {
    const { service, project } = await open();
    const sent = await sendAll(service, false, [30, 60]);
    taken = sent.taken;
    expect(taken.size).toBeGreaterThan(60);
    expect(sent.refused).toBeGreaterThan(0);
    expect(taken.size + sent.refused).toBe(batches.length);

    const tokens = await askAll(project);
    for (const batch of batches) {
      // What was not answered 2xx may be there or not, in part even, but no part of it twice.
      if (taken.has(batch)) expect(tokens[batch]).toBe(tokensOf(batch));
      else expect(tokens[batch]).toBeLessThanOrEqual(tokensOf(batch));
    }
    await service.close();
    const parts = await readParts();
    for (const batch of batches) {
      const counts = parts.get(`trace-${batch}`) ?? [];
      if (taken.has(batch)) expect(counts).toEqual(once);
      else expect(counts).toEqual(once.slice(0, counts.length));
    }
  });

  test('that are sent again until they are taken: all are there once', async () => {
    const { service, project } = await open();
    const sent = await sendAll(service, true, [20, 50, 80]);
    expect(sent.taken.size).toBe(batches.length);
    expect(sent.refused).toBeGreaterThan(0);

    expect(await askAll(project)).toEqual(batches.map(tokensOf));
    await service.close();
    expect(Object.fromEntries(await readParts())).toEqual(
      Object.fromEntries(batches.map((batch) => [`trace-${batch}`, once])),
    );
  });
});
