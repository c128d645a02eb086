import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endRow, orphanEndRow, startRow, completeRow } from '../support/rows/part-rows.ts';
import { serverUrl } from '../support/clickhouse/clickhouse.ts';
import { useService } from '../support/http/service.ts';
import { type Project, promptTokens, promptUsage, toProject } from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

/** Counts the stored parts of a project: all of them, and without repeats. */
async function partsIn(project: Project): Promise<{ all: number; merged: number }> {
  const count = async (final: string): Promise<number> => {
    const rows = await usageClient.clickhouse.query<{ parts: string }>(
      `SELECT count() AS parts FROM call_parts ${final} WHERE project_id = {project: String}`,
      { project: project.id },
    );
    return Number(rows[0]?.parts);
  };
  return { all: await count(''), merged: await count('FINAL') };
}

describe('a 2xx means the data is in ClickHouse', () => {
  const shape = { id: 'a', usage: promptUsage(3) };

  test.each(['/call', '/v2/%/call'])('%s/start and %s/end', async (prefix) => {
    const project = usageClient.newProject();
    const path = prefix.replace('%', project.id);
    const { req: start } = project.startItem(shape) as { req: object };
    const { req: end } = project.endItem(shape) as { req: object };
    expect((await usageClient.service.send(`${path}/start`, { body: start })).status).toBe(200);
    expect(await partsIn(project)).toEqual({ all: 1, merged: 1 });
    expect((await usageClient.service.send(`${path}/end`, { body: end })).status).toBe(200);
    expect(await partsIn(project)).toEqual({ all: 2, merged: 2 });
    expect(promptTokens(await project.queryUsage(['a']), 'a')).toBe(3);
  });

  test('/call/upsert_batch', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.startItem(shape), project.endItem(shape));
    expect(await partsIn(project)).toEqual({ all: 2, merged: 2 });
    expect(promptTokens(await project.queryUsage(['a']), 'a')).toBe(3);
  });

  test('/v2/{entity}/{project}/calls/complete', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(shape, { ...shape, id: 'b' });
    expect(await partsIn(project)).toEqual({ all: 2, merged: 2 });
    expect(promptTokens(await project.queryUsage(['b']), 'b')).toBe(3);
  });

  test('/calls/delete, with all descendants', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      shape,
      { id: 'b', parent: 'a', usage: promptUsage(10) },
      { id: 'c', parent: 'b' },
    );
    expect(await project.deleteCalls('a')).toBe(3);
    expect(await partsIn(project)).toEqual({ all: 3 + 3, merged: 3 + 3 });
    expect((await project.queryUsage(['a', 'b', 'c'])).call_usage).toEqual({ a: {}, b: {}, c: {} });
    // No existing call is left to delete.
    expect(await project.deleteCalls('a', 'b')).toBe(0);
  });

  test('for a gzip body as for a plain one', async () => {
    const project = usageClient.newProject();
    const batch = [project.startItem(shape), project.endItem(shape)];
    const answer = await usageClient.service.send('/call/upsert_batch', {
      body: gzipSync(JSON.stringify({ batch })),
      headers: { 'content-encoding': 'gzip' },
    });
    expect(answer.status, answer.text).toBe(200);
    expect(promptTokens(await project.queryUsage(['a']), 'a')).toBe(3);
  });

  test('for 20,000 parts in one request', async () => {
    const project = usageClient.newProject();
    const shapes = Array.from({ length: 10_000 }, (_, index) => ({
      id: `call-${index}`,
      parent: index === 0 ? undefined : 'call-0',
      usage: promptUsage(index),
    }));
    await project.upsertBatch(
      ...shapes.flatMap((each) => [project.endItem(each), project.startItem(each)]),
    );
    expect((await partsIn(project)).merged).toBe(20_000);
    const all = (10_000 * 9_999) / 2;
    expect(promptTokens(await project.queryUsage(['call-0']), 'call-0')).toBe(all);
  });
});

describe('SDK requests other than calls', () => {
  /** Counts the rows of every table. */
  const rowsStored = (): Promise<unknown> =>
    usageClient.clickhouse.query(
      `SELECT name, total_rows FROM system.tables WHERE database = currentDatabase()
      AND engine LIKE '%MergeTree' ORDER BY name`,
    );

  test('that create objects and files get a digest, and nothing is stored', async () => {
    const { id: project_id } = usageClient.newProject();
    const before = await rowsStored();
    const obj = { project_id, object_id: 'op', val: { code: 'x'.repeat(1_000) } };
    const object = await usageClient.service.send('/obj/create', { body: { obj } });
    const form = new FormData();
    form.append('project_id', project_id);
    form.append('file', new Blob(['code']));
    const file = await usageClient.service.send('/file/create', { body: form });
    for (const answer of [object, file]) {
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json()).toMatchObject({
        digest: expect.stringMatching(/^[A-Za-z0-9]{43}$/) as string,
      });
    }
    expect(await rowsStored()).toEqual(before);
  });

  test('for /server_info get versions', async () => {
    const answer = await usageClient.service.send('/server_info');
    expect(answer.json()).toEqual({
      min_required_weave_python_version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      trace_server_version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
  });
});

test('a pipeline that inserts into call_parts gets the same answers as one that uses the endpoints', async () => {
  const [sent, inserted] = [usageClient.newProject(), usageClient.newProject()];
  const usage = {
    m: { prompt_tokens: 3, output_tokens: 4, cache_read_input_tokens: 1, requests: 1 },
    'another model': { total_tokens: 9 },
  };
  const [root, child, leaf, open] = [
    { id: 'root' },
    { id: 'child', parent: 'root', usage },
    { id: 'leaf', parent: 'child', usage },
    { id: 'open', parent: 'child' },
  ] as const;
  await sent.upsertBatch(
    sent.endItem({ id: 'root', usage }),
    sent.startItem(root),
    sent.startItem(child),
    sent.endItem(child, { trace_id: 'trace' }),
    sent.startItem(open),
  );
  await sent.sendCompleteCalls(leaf);
  await usageClient.clickhouse.insert('call_parts', [
    orphanEndRow(inserted.id, { id: 'root', usage }),
    startRow(inserted.id, root),
    startRow(inserted.id, child),
    endRow(inserted.id, child),
    startRow(inserted.id, open),
    completeRow(inserted.id, leaf),
  ]);
  const ids = ['root', 'child', 'leaf', 'open'];
  const answer = await sent.queryUsage(ids, { include_costs: true });
  expect(promptTokens(answer, 'root')).toBe(3 * 3);
  expect(answer.unfinished_call_ids).toEqual(['open']);
  expect(await inserted.queryUsage(ids, { include_costs: true })).toEqual(answer);
});

describe('after any answer but a 2xx the client may retry', () => {
  /** A proxy before ClickHouse that can drop the answer to the next insert, after ClickHouse has stored it. */
  async function openLossyProxy(): Promise<{ url: string; loseNextAnswer: () => void }> {
    const target = new URL(serverUrl());
    let isLosing = false;
    const sockets = new Set<Socket>();
    const server = createServer((incoming) => {
      const outgoing = connect(Number(target.port), target.hostname);
      let isInsert = false;
      for (const socket of [incoming, outgoing]) {
        sockets.add(socket.on('error', () => socket.destroy()));
        socket.on('close', () => {
          incoming.destroy();
          outgoing.destroy();
        });
      }
      incoming.on('data', (bytes) => {
        isInsert ||= isLosing && /INSERT(\+|%20| )INTO/.test(bytes.toString('latin1'));
        outgoing.write(bytes);
      });
      outgoing.on('data', (bytes) => {
        if (isInsert) isLosing = false;
        if (isInsert) incoming.destroy();
        else incoming.write(bytes);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const url = new URL(target);
    url.port = String((server.address() as AddressInfo).port);
    return { url: url.href, loseNextAnswer: () => (isLosing = true) };
  }

  test('and nothing is lost or doubled if only the answer to the insert was lost', async () => {
    const project = usageClient.newProject();
    const proxy = await openLossyProxy();
    const service = await useService({
      ...usageClient.clickhouse.environment,
      CLICKHOUSE_URL: proxy.url,
    });
    await service.ready;
    const batch = [
      project.startItem({ id: 'a' }),
      project.endItem({ id: 'a', usage: promptUsage(3) }),
      project.startItem({ id: 'b', parent: 'a' }),
    ];
    proxy.loseNextAnswer();
    const lost = await service.send('/call/upsert_batch', { body: { batch } });
    expect(lost.status, lost.text).toBe(503);
    expect(lost.headers.get('retry-after')).toMatch(/^\d+$/);
    // It was stored nevertheless.
    await expect.poll(() => partsIn(project)).toEqual({ all: 3, merged: 3 });

    await toProject(service, project.id).upsertBatch(...batch);

    expect((await partsIn(project)).merged).toBe(3);
    const answer = await project.queryUsage(['a'], { limit: 2 });
    expect(promptTokens(answer, 'a')).toBe(3);
    expect(answer.unfinished_call_ids).toEqual(['b']);
  });

  test('and after a 422 nothing is stored', async () => {
    const project = usageClient.newProject();
    const { req } = project.startItem({ id: 'a' }, { started_at: 'now' }) as { req: object };
    expect((await usageClient.service.send('/call/start', { body: req })).status).toBe(422);
    expect(await partsIn(project)).toEqual({ all: 0, merged: 0 });
  });
});
