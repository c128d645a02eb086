import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';

import { findInFiles } from '../support/clickhouse/clickhouse-files.ts';
import { clusterFixture } from '../support/fixtures.ts';
import { openService, type TestService } from '../support/http/service.ts';
import { completeRow } from '../support/rows/part-rows.ts';
import { promptTokens, promptUsage, toProject } from '../support/usage-client.ts';

const cluster = clusterFixture();
/** One on each node, as the tests make sure. */
const traces = ['trace 0', 'trace 1', 'trace 2', 'trace 3'];

/** Random texts, which are so short that ClickHouse's compression leaves those of one row as they are. */
function newTexts(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, randomBytes(12).toString('base64url')]));
}

async function startService(settings: Readonly<Record<string, string>>): Promise<TestService> {
  const service = await openService({ ...cluster.environment, ...settings });
  onTestFinished(() => service.close());
  await service.ready;
  return service;
}

/** The names of the texts that are in the files of each node. */
async function findOnNodes(texts: Readonly<Record<string, string>>): Promise<string[][]> {
  return await Promise.all(cluster.dataDirs.map((path) => findInFiles(path, texts)));
}

/**
 * The same once all texts are found: while files are listed and read, a merge can move a text from a file that is
 * removed to one that was not listed.
 */
async function findAllOnNodes(texts: Readonly<Record<string, string>>): Promise<string[][]> {
  const isAll = (found: string[][]): boolean => found.flat().length === traces.length;
  return await vi.waitUntil(
    async () => {
      const found = await findOnNodes(texts);
      return isAll(found) && found;
    },
    { timeout: 20_000, interval: 200 },
  );
}

/** ClickHouse looks for replaced files every second. */
const untilCleanup = { timeout: 60_000 };

test(
  'a deletion erases the texts of calls from the files of every node, and nothing else',
  { timeout: 120_000 },
  async () => {
    const service = await startService({
      PAYLOAD_RETENTION_DAYS: '7',
      DELETION_ERASURE_INTERVAL_MS: '1000',
    });
    const project = toProject(service, 'team/deleted');
    const [deleted, kept] = [newTexts(...traces), newTexts(...traces)];
    const send = async (id: string, trace: string, text: string | undefined): Promise<void> => {
      const call = project.completeCall({ id, trace, usage: promptUsage(7) }, { exception: text });
      const body = { batch: [call] };
      const answer = await service.send('/v2/team/deleted/calls/complete', { body });
      expect(answer.status, answer.text).toBe(200);
    };
    for (const trace of traces) {
      await send(`deleted of ${trace}`, trace, deleted[trace]);
      await send(`kept of ${trace}`, trace, kept[trace]);
    }
    const before = await findAllOnNodes(deleted);
    expect(await findAllOnNodes(kept)).toEqual(before);
    expect(before.flat().sort()).toEqual(traces);
    expect(before.map(({ length }) => length)).not.toContain(0);

    const deletedIds = traces.map((trace) => `deleted of ${trace}`);
    expect(await project.deleteCalls(...deletedIds)).toBe(traces.length);
    await expect.poll(() => findOnNodes(deleted), untilCleanup).toEqual([[], []]);
    const keptIds = traces.map((trace) => `kept of ${trace}`);
    const usage = await project.queryUsage([...deletedIds, ...keptIds]);
    expect(keptIds.map((id) => promptTokens(usage, id))).toEqual(traces.map(() => 7));
    expect(deletedIds.map((id) => usage.call_usage[id])).toEqual(traces.map(() => ({})));
    const exceptions = await cluster.query<{ exception: string }>(
      0,
      "SELECT exception FROM call_parts WHERE project_id = 'team/deleted' AND exception != '' ORDER BY trace_id",
    );
    expect(exceptions.map(({ exception }) => exception)).toEqual(Object.values(kept));
  },
);

test(
  'PAYLOAD_RETENTION_DAYS removes texts from the files of every node',
  { timeout: 120_000 },
  async () => {
    await startService({ PAYLOAD_RETENTION_DAYS: '30' });
    const [young, old] = [newTexts(...traces), newTexts(...traces)];
    const day = 24 * 60 * 60 * 1000;
    const insert = async (text: string | undefined, trace: string, days: number): Promise<void> => {
      const columns = { exception: text, inserted_at: Date.now() - days * day };
      const row = completeRow('team/retention', { id: `${days} of ${trace}`, trace }, columns);
      await cluster.insert('call_parts', [row]);
    };
    for (const trace of traces) {
      await insert(young[trace], trace, 5);
      await insert(old[trace], trace, 20);
    }
    const before = await findAllOnNodes(old);
    expect(before.flat().sort()).toEqual(traces);
    expect(before.map(({ length }) => length)).not.toContain(0);

    await startService({ PAYLOAD_RETENTION_DAYS: '10' });
    await expect.poll(() => findOnNodes(old), untilCleanup).toEqual([[], []]);
    const exceptions = await cluster.query<{ exception: string }>(
      0,
      "SELECT exception FROM call_parts WHERE project_id = 'team/retention' AND exception != '' ORDER BY trace_id",
    );
    expect(exceptions.map(({ exception }) => exception)).toEqual(Object.values(young));
  },
);
