import { describe, expect, test } from 'vitest';
import { clusterFixture, fixture } from '../../support/fixtures.ts';
import type { ResolvedCost } from '../../../src/prices/resolve-costs.ts';
import { openService } from '../../support/http/service.ts';
import { promptTokens, promptUsage, toProject } from '../../support/usage-client.ts';

const cluster = clusterFixture();
const service = fixture(async () => {
  const opened = await openService(cluster.environment);
  await opened.ready;
  return opened;
});

const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString();

/** Sends traces of a root, a child and a grandchild; returns the names of the traces. */
async function sendTraces(id: string, count: number): Promise<string[]> {
  const project = toProject(service, id);
  const names = Array.from({ length: count }, (_, index) => `trace-${index}`);
  await project.sendCompleteCalls(
    ...names.flatMap((trace, index) => [
      { id: `${trace} root`, trace, startedAt: at(0), usage: promptUsage(index) },
      {
        id: `${trace} child`,
        trace,
        parent: `${trace} root`,
        startedAt: at(1),
        usage: promptUsage(10),
      },
      {
        id: `${trace} leaf`,
        trace,
        parent: `${trace} child`,
        startedAt: at(2),
        usage: promptUsage(100),
      },
    ]),
  );
  return names;
}

describe('calls on a cluster', () => {
  test('are distributed: each trace is complete on one shard, and each id is on the shard of its hash', async () => {
    const names = await sendTraces('team/spread', 40);
    type Counts = { calls: string; traces: string; ids: string };
    const rows = await Promise.all(
      [0, 1].map((node) =>
        cluster.query<Counts>(
          node,
          `SELECT sum(n) AS calls, count() AS traces,
            (SELECT countIf(sipHash64(project_id, key) % 2 = ${node}) FROM calls_usage_local.call_traces FINAL
              WHERE project_id = 'team/spread') AS ids
          FROM (SELECT trace_id, count() AS n FROM calls_usage_local.merged_calls FINAL
            WHERE project_id = 'team/spread' GROUP BY trace_id)`,
        ),
      ),
    );
    const counts = rows.flat();
    for (const { traces, calls, ids } of counts) {
      expect(Number(traces)).toBeGreaterThan(0);
      expect(Number(calls)).toBe(3 * Number(traces));
      expect(Number(ids)).toBeGreaterThan(0);
    }
    const sum = (key: keyof Counts): number =>
      counts.reduce((all, one) => all + Number(one[key]), 0);
    expect([sum('traces'), sum('calls'), sum('ids')]).toEqual([names.length, 120, 120]);
  });

  test('have the same usage as on one server, for roots and for calls inside other requested subtrees', async () => {
    const names = await sendTraces('team/requested', 12);
    const project = toProject(service, 'team/requested');
    const roots = await project.queryUsage(names.map((name) => `${name} root`));
    expect(names.map((name) => promptTokens(roots, `${name} root`))).toEqual(
      names.map((_, index) => index + 10 + 100),
    );
    const mixed = await project.queryUsage(
      names.flatMap((name) => [`${name} root`, `${name} child`]),
    );
    expect(names.map((name) => promptTokens(mixed, `${name} child`))).toEqual(
      names.map(() => 10 + 100),
    );
    expect(names.map((name) => promptTokens(mixed, `${name} root`))).toEqual(
      names.map((_, index) => index + 10 + 100),
    );
  });

  test('are counted once if an SDK rolled them up, not if they are deleted, and as soon as an orphan end has its start', async () => {
    const project = toProject(service, 'team/repaired');
    const attributes = { weave: { source: 'js-sdk' } };
    const root = { id: 'root', startedAt: at(0), usage: promptUsage(110) };
    const child = { id: 'child', parent: 'root', startedAt: at(1), usage: promptUsage(100) };
    const late = { id: 'late', parent: 'root', startedAt: at(2), usage: promptUsage(1_000) };
    await project.upsertBatch(project.endItem(late));
    await project.upsertBatch(
      ...[root, child].flatMap((call) => [
        project.startItem(call, { attributes }),
        project.endItem(call),
      ]),
    );
    expect(promptTokens(await project.queryUsage(['root']), 'root')).toBe(110);
    await project.upsertBatch(project.startItem(late));
    expect(promptTokens(await project.queryUsage(['root']), 'root')).toBe(110 + 1_000);
    expect(await project.deleteCalls('child')).toBe(1);
    expect(promptTokens(await project.queryUsage(['root']), 'root')).toBe(110 - 100 + 1_000);
  });

  test('cost what the prices of the project say', async () => {
    const project = toProject(service, 'team/priced');
    await project.setPrices({ m: { prompt_token_cost: 0.005, completion_token_cost: 0.001 } });
    await project.sendCompleteCalls({
      id: 'root',
      usage: { m: { prompt_tokens: 8, completion_tokens: 3 } },
    });
    const { call_usage } = await project.queryUsage(['root'], { include_costs: true });
    expect(call_usage['root']?.['m']).toMatchObject({
      prompt_tokens_total_cost: 8 * 0.005,
      completion_tokens_total_cost: 3 * 0.001,
    });
  });
});

test('a price that somebody stores on any shard is in the next answer', async () => {
  const project = toProject(service, 'team/elsewhere');
  const models = Array.from({ length: 20 }, (_, index) => `model-${index}`);
  const price = (llm_id: string, prompt_token_cost: string) => ({
    ...{ id: llm_id, llm_id, pricing_level: 'project', pricing_level_id: project.id },
    ...{ provider_id: 'p', effective_date: '2026-01-01 00:00:00', created_by: 'somebody' },
    ...{ prompt_token_cost, completion_token_cost: '0' },
  });
  const resolve = async (): Promise<(number | undefined)[]> => {
    const answer = await service.send('/cost/resolve', {
      body: { project_id: project.id, models },
    });
    const { results } = answer.json() as { results: ResolvedCost[] };
    return results.map((result) => result.price?.prompt_token_cost);
  };
  expect(await resolve()).toEqual(models.map(() => undefined));
  for (const cost of ['0.001', '0.002']) {
    await cluster.insert(
      'llm_token_prices',
      models.map((model) => price(model, cost)),
    );
    expect(await resolve()).toEqual(models.map(() => Number(cost)));
  }
  // Each alone, so that one shard changes at a time.
  for (const [index, model] of models.entries()) {
    await cluster.insert('llm_token_prices', [price(model, '0.003')]);
    expect(await resolve()).toEqual(models.map((_, other) => (other <= index ? 0.003 : 0.002)));
  }
});

test('each default price is stored on one shard only, where a newer price book can replace it', async () => {
  const prices = await Promise.all(
    [0, 1].map((node) =>
      cluster.query<{ id: string }>(
        node,
        "SELECT id FROM calls_usage_local.llm_token_prices FINAL WHERE pricing_level = 'default'",
      ),
    ),
  );
  for (const pricesOfNode of prices) expect(pricesOfNode.length).toBeGreaterThan(0);
  const ids = prices.flat().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  // None is left of those that a migration inserted.
  expect(ids.filter((id) => !id.startsWith('book:'))).toEqual([]);
});

test('while a shard is unavailable requests fail instead of returning partial results, and succeed when it is back', async () => {
  const names = await sendTraces('team/unavailable', 20);
  const project = toProject(service, 'team/unavailable');
  const ids = names.map((name) => `${name} root`);
  const before = await project.queryUsage(ids);
  await cluster.kill(1);
  const refused = await project.sendUsageRequest(ids);
  expect(refused.status, refused.text).toBe(503);
  expect(refused.headers.get('retry-after')).not.toBeNull();
  const complete = project.completeCall({ id: 'new', trace: 'a new trace' });
  const other = project.completeCall({ id: 'other', trace: 'one more trace' });
  const ingested = await service.send('/v2/team/unavailable/calls/complete', {
    body: {
      batch: Array.from({ length: 8 }, (_, i) => ({ ...complete, trace_id: `new-${i}` })).concat(
        other as never,
      ),
    },
  });
  expect(ingested.status, ingested.text).toBe(503);
  expect((await service.send('/health')).status).toBe(503);
  await cluster.restart(1);
  await expect.poll(async () => (await service.send('/health')).status).toBe(200);
  expect(await project.queryUsage(ids)).toEqual(before);
});
