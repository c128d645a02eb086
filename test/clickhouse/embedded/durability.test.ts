import { describe, expect, test } from 'vitest';
import { readSchema } from '../../../src/clickhouse/schema/prepare-database.ts';
import { readRows, toQueries } from '../../support/clickhouse/clickhouse.ts';
import { fixture } from '../../support/fixtures.ts';
import { openService, type TestService } from '../../support/http/service.ts';
import {
  makeDirectory,
  openEmbeddedClickHouse,
  readProcessId,
} from '../../support/clickhouse/embedded-clickhouse.ts';
import { promptTokens, promptUsage, toProject, type Project } from '../../support/usage-client.ts';

const projectId = 'team/durability';
const clients = 6;
const callsPerBatch = 25;
const batches = Array.from({ length: 100 }, (_, batch) => batch);

const queries = toQueries({
  parts: `SELECT trace_id, id, kind, toUInt32(count()) AS count FROM call_parts FINAL
    WHERE project_id = {project_id: String} GROUP BY ALL`,
});

const directory = fixture(async () => {
  const { path, remove } = await makeDirectory();
  return { path, close: remove };
});

/** Opens a service with an embedded ClickHouse on the directory. */
async function open(): Promise<{ service: TestService; project: Project }> {
  const service = await openService({ CLICKHOUSE_URL: '', DATA_DIR: directory.path });
  await service.ready;
  return { service, project: toProject(service, projectId) };
}

/** Kills the embedded server with a signal that it cannot handle; the service restarts it. */
async function killServer(): Promise<void> {
  process.kill(await readProcessId(directory.path), 'SIGKILL');
}

/** The items of a batch: a trace of a root and children, for each call its end, without the trace id, and its start. */
function toItems(project: Project, batch: number): object[] {
  return toCallIds(batch).flatMap((id, index) => {
    const parent = index === 0 ? undefined : toCallIds(batch)[0];
    const shape = { id, trace: `trace-${batch}`, parent, usage: promptUsage(1 + batch) };
    return [project.endItem(shape), project.startItem(shape)];
  });
}

function toCallIds(batch: number): string[] {
  return Array.from({ length: callsPerBatch }, (_, index) => `call-${batch}-${index}`);
}

/** Prompt tokens of the root of a batch that is stored exactly once. */
const toPromptTokens = (batch: number): number => callsPerBatch * (1 + batch);

const sendOnce = async (service: TestService, batch: number): Promise<boolean> => {
  const items = toItems(toProject(service, projectId), batch);
  const answer = await service.send('/call/upsert_batch', { body: { batch: items } });
  if (answer.status !== 200) {
    expect(answer.status, answer.text).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  return answer.status === 200;
};

const untilHealthy = (service: TestService): Promise<void> =>
  expect.poll(async () => (await service.send('/health')).status).toBe(200);

/**
 * Sends all batches with several concurrent clients, and kills the server each time that a number of batches of
 * `killAt` is acknowledged.
 */
async function sendAll(
  service: TestService,
  isRetrying: boolean,
  killAt: readonly number[],
): Promise<{ acknowledged: Set<number>; refused: number }> {
  const acknowledged = new Set<number>();
  let refused = 0;
  const work = batches.values();
  const send = async (batch: number): Promise<void> => {
    while (!(await sendOnce(service, batch))) {
      refused += 1;
      await untilHealthy(service);
      if (!isRetrying) return;
    }
    acknowledged.add(batch);
    if (killAt.includes(acknowledged.size)) await killServer();
  };
  const client = async (): Promise<void> => {
    for (const batch of work) await send(batch);
  };
  await Promise.all(Array.from({ length: clients }, client));
  await untilHealthy(service);
  return { acknowledged, refused };
}

/** Reads the prompt tokens of each batch's root with POST /calls/usage. */
async function readPromptTokens(project: Project): Promise<number[]> {
  const roots = batches.map((batch) => `call-${batch}-0`);
  const answer = await project.queryUsage(roots);
  return roots.map((root) => promptTokens(answer, root));
}

/** Reads how often each part is stored, by trace, when the service is closed. */
async function countParts(): Promise<Map<string, number[]>> {
  const { clickhouse } = await openEmbeddedClickHouse(directory.path, {
    queries,
    migrations: readSchema().migrations,
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

/** The counts of a batch that is stored exactly once: one for each start and end. */
const onePerPart = Array.from({ length: 2 * callsPerBatch }, () => 1);

describe(
  'kill -9 of the embedded server while a hundred batches are sent',
  { timeout: 180_000 },
  () => {
    test('stores every acknowledged batch exactly once and no part of another one twice', async () => {
      const { service, project } = await open();
      const sent = await sendAll(service, false, [30, 60]);
      const { acknowledged } = sent;
      expect(acknowledged.size).toBeGreaterThan(60);
      expect(sent.refused).toBeGreaterThan(0);
      expect(acknowledged.size + sent.refused).toBe(batches.length);

      const tokens = await readPromptTokens(project);
      for (const batch of batches) {
        // A batch that was not acknowledged may be stored completely, partly or not at all.
        if (acknowledged.has(batch)) expect(tokens[batch]).toBe(toPromptTokens(batch));
        else expect(tokens[batch]).toBeLessThanOrEqual(toPromptTokens(batch));
      }
      await service.close();
      const parts = await countParts();
      for (const batch of batches) {
        const counts = parts.get(`trace-${batch}`) ?? [];
        if (acknowledged.has(batch)) expect(counts).toEqual(onePerPart);
        else expect(counts).toEqual(onePerPart.slice(0, counts.length));
      }
    });

    test('stores every batch exactly once if clients retry until they are acknowledged', async () => {
      const { service, project } = await open();
      const sent = await sendAll(service, true, [20, 50, 80]);
      expect(sent.acknowledged.size).toBe(batches.length);
      expect(sent.refused).toBeGreaterThan(0);

      expect(await readPromptTokens(project)).toEqual(batches.map(toPromptTokens));
      await service.close();
      expect(Object.fromEntries(await countParts())).toEqual(
        Object.fromEntries(batches.map((batch) => [`trace-${batch}`, onePerPart])),
      );
    });
  },
);
