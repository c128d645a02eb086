import { expect, onTestFinished, test } from 'vitest';

import { listParts } from '../../support/clickhouse/part-files.ts';
import { clusterFixture } from '../../support/fixtures.ts';
import { readMetrics, valueOf } from '../../support/http/metrics.ts';
import { openService, type TestService } from '../../support/http/service.ts';
import { promptTokens, promptUsage, toProject } from '../../support/usage-client.ts';

const cluster = clusterFixture();
const localDatabase = 'calls_usage_local';
const callIds = Array.from({ length: 40 }, (_, index) => `call-${index}`);

async function startService(): Promise<TestService> {
  const service = await openService(cluster.environment);
  onTestFinished(() => service.close());
  await service.ready;
  return service;
}

/** Sends calls in traces of their own, which are on both nodes. */
async function sendCalls(projectId: string): Promise<void> {
  const service = await startService();
  const project = toProject(service, projectId);
  await project.sendCompleteCalls(
    ...callIds.map((id) => ({ id, trace: `trace of ${id}`, usage: promptUsage(7) })),
  );
}

/** Cuts the files of all parts of a table on the second node. */
async function damage(table: string): Promise<void> {
  await cluster.kill(1);
  const parts = await listParts(cluster.dataDirs[1]!, table, localDatabase);
  expect(parts.length).toBeGreaterThan(0);
  for (const part of parts) await part.truncate();
  await cluster.restart(1);
}

async function countRows(node: number, table: string, project: string): Promise<number> {
  const [row] = await cluster.query<{ rows: string }>(
    node,
    `SELECT count() AS rows FROM ${localDatabase}.${table} FINAL WHERE project_id = '${project}'`,
  );
  return Number(row?.rows);
}

test.each(['merged_calls', 'call_traces'])(
  'what one node of a cluster has lost of %s is filled again, and no answer is too small',
  async (table) => {
    const projectId = `team/lost-${table}`;
    await sendCalls(projectId);
    const rows = await countRows(1, table, projectId);
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(callIds.length);

    await damage(table);
    const service = await startService();
    const project = toProject(service, projectId);
    await expect
      .poll(async () => {
        const { status } = await project.sendUsageRequest(callIds);
        expect([200, 503]).toContain(status);
        return status;
      })
      .toBe(200);
    const answer = await project.queryUsage(callIds);
    const sum = callIds.reduce((total, id) => total + promptTokens(answer, id), 0);
    expect(sum).toBe(7 * callIds.length);
    expect(await countRows(1, table, projectId)).toBe(rows);
    expect(service.logLines()).toContainEqual(
      expect.objectContaining({ table, msg: 'a derived table was filled again' }),
    );
  },
);

test('what one node of a cluster has lost of call_parts makes reads return 503, and is counted in the metrics', async () => {
  const projectId = 'team/lost-parts';
  await sendCalls(projectId);
  await damage('call_parts');
  const service = await startService();
  const health = await service.send('/health');
  expect([health.status, health.json()]).toMatchObject([503, { status: 'damaged' }]);
  expect((await toProject(service, projectId).sendUsageRequest(callIds)).status).toBe(503);
  const labels = { table: 'call_parts' };
  const metrics = await readMetrics(service);
  expect(valueOf(metrics, 'calls_usage_damaged_parts', labels)).toBeGreaterThan(0);
});
