import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openService, useService, type TestAnswer } from '../support/http/service.ts';
import {
  openUsageClient,
  promptTokens,
  promptUsage,
  toProject,
  type UsageClient,
} from '../support/usage-client.ts';

let usageClient: UsageClient;
beforeAll(async () => {
  usageClient = await openUsageClient();
  // One row per inserted block.
  await usageClient.clickhouse.command(
    'CREATE TABLE blocks (project String, rows UInt64) ENGINE = MergeTree ORDER BY project',
  );
  await usageClient.clickhouse.command(`CREATE MATERIALIZED VIEW blocks_seen TO blocks AS
    SELECT max(project_id) AS project, count() AS rows FROM call_parts HAVING rows > 0`);
});
afterAll(() => usageClient.close());

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function blocksOf(project: string): Promise<number[]> {
  const rows = await usageClient.clickhouse.query<{ rows: string }>(
    'SELECT rows FROM blocks WHERE project = {project: String}',
    { project },
  );
  return rows.map((row) => Number(row.rows));
}

describe('concurrent requests', () => {
  test('share inserts, and each is stored when it is answered', async () => {
    const project = usageClient.newProject();
    await Promise.all(
      numbers(60).map(async (index) => {
        const root = `root-${index}`;
        await project.upsertBatch(
          project.startItem({ id: root, trace: `trace-${index}` }),
          project.endItem({ id: root, usage: promptUsage(1 + index) }),
        );
        const answer = await project.queryUsage([root]);
        expect(promptTokens(answer, root)).toBe(1 + index);
      }),
    );
    const blocks = await blocksOf(project.id);
    expect(blocks.reduce((sum, rows) => sum + rows, 0)).toBe(120);
    // The first four inserts may contain one request each; all later requests are batched.
    expect(blocks.length).toBeLessThan(30);
  });

  test('of several projects may share an insert', async () => {
    const projects = numbers(10).map(() => usageClient.newProject());
    await Promise.all(
      projects.map((project, index) =>
        project.sendCompleteCalls({ id: 'same', usage: promptUsage(1 + index) }),
      ),
    );
    const answers = await Promise.all(projects.map((project) => project.queryUsage(['same'])));
    expect(answers.map((answer) => promptTokens(answer, 'same'))).toEqual(
      numbers(10).map((index) => 1 + index),
    );
  });

  test('find traces of orphan ends in each other and in ClickHouse', async () => {
    const project = usageClient.newProject();
    const early = numbers(20).map((index) => ({ id: `early-${index}`, trace: `t-${index}` }));
    await project.upsertBatch(...early.map((shape) => project.startItem(shape)));
    const late = numbers(20).map((index) => ({ id: `late-${index}`, trace: `t-${index}` }));
    await Promise.all([
      ...late.map((shape) => project.upsertBatch(project.startItem(shape))),
      ...late.map((shape) =>
        project.upsertBatch(project.endItem({ ...shape, usage: promptUsage(2) })),
      ),
      ...early.map((shape) =>
        project.upsertBatch(project.endItem({ ...shape, usage: promptUsage(3) })),
      ),
    ]);
    const count = await usageClient.clickhouse.query<{ loose: string }>(
      `SELECT count() AS loose FROM call_parts WHERE project_id = {project: String} AND trace_id = ''`,
      { project: project.id },
    );
    expect(count).toEqual([{ loose: '0' }]);
    const ids = [...early, ...late].map(({ id }) => id);
    const answer = await project.queryUsage(ids);
    expect(ids.map((id) => promptTokens(answer, id))).toEqual([
      ...early.map(() => 3),
      ...late.map(() => 2),
    ]);
  });
});

describe('a request that ClickHouse refuses', () => {
  test('fails alone: requests of the same insert are stored', async () => {
    // A constraint that the service does not validate.
    await usageClient.clickhouse.command(
      "ALTER TABLE call_parts ADD CONSTRAINT no_poison CHECK display_name != 'poison'",
    );
    const project = usageClient.newProject();
    const path = `/v2/${project.id}/calls/complete`;
    const send = (id: string, more: object): Promise<TestAnswer> =>
      usageClient.service.send(path, {
        body: { batch: [project.completeCall({ id, usage: promptUsage(1) }, more)] },
      });
    const answers = await Promise.all(
      numbers(40).map((index) =>
        send(`call-${index}`, index === 25 ? { display_name: 'poison' } : {}),
      ),
    );
    await usageClient.clickhouse.command('ALTER TABLE call_parts DROP CONSTRAINT no_poison');
    expect(answers.map(({ status }) => status)).toEqual(
      numbers(40).map((index) => (index === 25 ? 500 : 200)),
    );
    const ids = numbers(40).map((index) => `call-${index}`);
    const answer = await project.queryUsage(ids);
    expect(ids.map((id) => Object.keys(answer.call_usage[id] ?? {}).length)).toEqual(
      numbers(40).map((index) => (index === 25 ? 0 : 1)),
    );
  });
});

describe('shutdown', () => {
  test('inserts and answers queued requests', async () => {
    const environment = { ...usageClient.clickhouse.environment, INSERT_FLUSH_INTERVAL_MS: '1000' };
    const service = await openService(environment);
    await service.ready;
    const project = toProject(service, usageClient.newProject().id);
    const ids = numbers(30).map((index) => `c-${index}`);
    // A request that arrives while the service stops is refused, or its connection is.
    const send = async (id: string): Promise<number> => {
      const body = { batch: [project.completeCall({ id, usage: promptUsage(1) })] };
      const path = `/v2/${project.id}/calls/complete`;
      return await service.send(path, { body }).then(
        ({ status }) => status,
        () => 0,
      );
    };
    const sent = ids.map(send);
    // When one is stored, others are queued.
    await Promise.race(sent);
    await service.close();
    const statuses = await Promise.all(sent);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(1);
    const answer = await toProject(usageClient.service, project.id).queryUsage(ids);
    expect(ids.map((id) => Object.keys(answer.call_usage[id] ?? {}).length)).toEqual(
      statuses.map((status) => (status === 200 ? 1 : 0)),
    );
  });
});

describe('a service whose memory budget is used up', () => {
  test('refuses at once with 503 and Retry-After, and accepts the same requests later', async () => {
    const service = await useService({
      ...usageClient.clickhouse.environment,
      MEMORY_BUDGET_MB: '2',
      MEMORY_BUDGET_PER_KEY_MB: '2',
      BODY_LIMIT_MB: '1',
      ITEM_LIMIT_MB: '1',
    });
    await service.ready;
    const project = toProject(service, usageClient.newProject().id);
    const large = 'x'.repeat(600_000);
    const send = (id: string): Promise<TestAnswer> =>
      service.send(`/v2/${project.id}/calls/complete`, {
        body: {
          batch: [project.completeCall({ id, usage: promptUsage(1) }, { attributes: { large } })],
        },
      });
    const ids = numbers(10).map((index) => `large-${index}`);
    const answers = await Promise.all(ids.map(send));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect(answer.status, answer.text).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    for (const id of ids) expect((await send(id)).status).toBe(200);
    const usage = await project.queryUsage(ids);
    expect(ids.map((id) => promptTokens(usage, id))).toEqual(ids.map(() => 1));
  });
});
