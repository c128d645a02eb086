import type { PartFiles } from '../../support/clickhouse/part-files.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readMetrics, valueOf } from '../../support/http/metrics.ts';
import {
  useDamagedService,
  type DamagedService,
} from '../../support/clickhouse/damaged-service.ts';

describe.each(['merged_calls', 'call_traces'])('a truncated part of %s', (table) => {
  test('makes no answer too small, and the table is filled again at start', async () => {
    const stopped = await useDamagedService();
    const [, second] = await stopped.listParts(table);
    await second!.truncate();
    const { service, project, callIds, sumPromptTokens } = await stopped.start();

    const answers = [];
    for (;;) {
      const answer = await project.sendUsageRequest(callIds);
      answers.push(answer.status);
      if (answer.status === 200) break;
      expect(answer.text).toContain('Calls are derived again');
    }
    expect(answers.every((status) => [200, 503].includes(status))).toBe(true);
    expect(await sumPromptTokens()).toBe(stopped.promptTokens);
    await expect.poll(() => stopped.countDetached(table)).toBe(0);
    expect(service.logLines()).toContainEqual(
      expect.objectContaining({ table, msg: 'a derived table was filled again' }),
    );
    await expect.poll(async () => (await service.send('/health')).status).toBe(200);
  });
});

describe('a truncated part of call_parts', () => {
  test('is in the gauge of damaged parts, beside tables without damage', async () => {
    const { service } = await damageCallParts();
    const metrics = await readMetrics(service);
    const parts = ['call_parts', 'merged_calls', 'call_traces'].map((table) =>
      valueOf(metrics, 'calls_usage_damaged_parts', { table }),
    );
    expect(parts).toEqual([1, 0, 0]);
  });

  test('refuses all reads with a reason in /health, names the part in the log, and stores new calls', async () => {
    const { service, project, callIds, part } = await damageCallParts();

    const health = await service.send('/health');
    expect(health.status).toBe(503);
    expect(health.json()).toMatchObject({ status: 'damaged' });
    const usage = await project.sendUsageRequest(callIds);
    expect(usage.status, usage.text).toBe(503);
    await project.sendCompleteCalls({ id: 'later', usage: { m: { prompt_tokens: 1 } } });
    await project.upsertBatch(project.endItem({ id: 'later still' }));
    expect(service.logLines()).toContainEqual(
      expect.objectContaining({
        level: 50,
        table: 'call_parts',
        name: `broken-on-start_${part}`,
        rows: 2,
        path: expect.stringContaining('/detached/') as unknown,
      }),
    );
  });

  async function damageCallParts(): Promise<
    Awaited<ReturnType<DamagedService['start']>> & { part: string }
  > {
    const stopped = await useDamagedService();
    const [first] = await stopped.listParts('call_parts');
    await first!.truncate();
    return { ...(await stopped.start()), part: first!.name };
  }
});

describe('what is no loss', () => {
  test('a damaged part whose sources are still on disk is removed', async () => {
    const stopped = await useDamagedService();
    await stopped.execute('OPTIMIZE TABLE call_parts FINAL');
    const merged = (await stopped.listParts('call_parts')).find(isMerged);
    await merged!.truncate();
    const { service, project, callIds, sumPromptTokens } = await stopped.start();
    expect((await project.sendUsageRequest(callIds)).status).toBe(200);
    expect(await sumPromptTokens()).toBe(stopped.promptTokens);
    await expect.poll(() => stopped.countDetached('call_parts')).toBe(0);
    expect(service.logLines()).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining('nothing is lost') as unknown }),
    );
  });

  test('a part that an operator has detached is left alone', async () => {
    const stopped = await useDamagedService();
    const [first] = await stopped.listParts('call_parts');
    await stopped.execute(`ALTER TABLE call_parts DETACH PART '${first!.name}'`);
    const { service } = await stopped.start();
    expect((await service.send('/health')).status).toBe(200);
    expect(await stopped.countDetached('call_parts')).toBe(1);
  });
});

test('a lost part stays lost when ClickHouse merges its neighbours into one of its name and more', async () => {
  const stopped = await useDamagedService(3);
  const [, second] = await stopped.listParts('call_parts');
  await second!.truncate();
  await stopped.execute('OPTIMIZE TABLE call_parts FINAL');
  expect((await stopped.listParts('call_parts')).filter(isMerged)).toHaveLength(1);
  const { service } = await stopped.start();
  expect((await service.send('/health')).json()).toMatchObject({ status: 'damaged' });
});

test('a lost last part stays lost when an insert reuses its number', async () => {
  const stopped = await useDamagedService(2);
  const [, second] = await stopped.listParts('call_parts');
  await second!.truncate();
  await stopped.execute(
    "INSERT INTO call_parts (project_id, id, kind, trace_id) VALUES ('p', 'new', 'deletion', 't')",
  );
  const { service } = await stopped.start();
  expect((await service.send('/health')).json()).toMatchObject({ status: 'damaged' });
});

test('a request that meets a changed byte is refused, and logged as an error', async () => {
  const stopped = await useDamagedService();
  for (const part of await stopped.listParts('merged_calls')) await part.flipByte();
  const { service, project, callIds } = await stopped.start();
  const answer = await project.sendUsageRequest(callIds);
  expect(answer.status, answer.text).toBe(503);
  expect(answer.json()).toEqual({
    detail: 'ClickHouse cannot read stored data that this request needs.',
  });
  expect(service.logLines()).toContainEqual(
    expect.objectContaining({ msg: expect.stringContaining('cannot read stored data') as unknown }),
  );
});

test('more damage than ClickHouse loads a table with prevents the start, with a message that says so', async () => {
  const stopped = await useDamagedService();
  await stopped.allowDamagedParts(0);
  for (const part of await stopped.listParts('merged_calls')) await part.truncate();
  const starting = stopped.start();
  onTestFinished(() => starting.catch(() => undefined).then(() => undefined));
  await expect(starting).rejects.toThrow(/max_suspicious_broken_parts.*docs\/operations\.md/s);
});

/** Whether a part has several blocks of inserted rows. */
function isMerged({ name }: PartFiles): boolean {
  const [, minBlock, maxBlock] = name.split('_');
  return minBlock !== maxBlock;
}
