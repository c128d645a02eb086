import { expect, test } from 'vitest';

import { useDamagedService } from '../support/clickhouse/damaged-service.ts';
import { readMetrics, valueOf } from '../support/http/metrics.ts';
import { type EndedNode, nodeArgumentsOf, runNode } from '../support/package/npm-command.ts';
import { promptUsage } from '../support/usage-client.ts';

function run(
  script: 'damage' | 'verify',
  dataDir: string,
  ...options: string[]
): Promise<EndedNode> {
  const env = { PATH: process.env['PATH'], DATA_DIR: dataDir };
  return runNode([...nodeArgumentsOf(script), ...options], { env });
}

test('after an operator has accepted the loss of a truncated part of call_parts, the service goes on', async () => {
  const stopped = await useDamagedService();
  const [first] = await stopped.listParts('call_parts');
  await first!.truncate();
  const part = `call_parts/broken-on-start_${first!.name}`;

  const listed = await run('damage', stopped.dataDir, 'list');
  expect(listed.stderr).toBe('');
  expect(listed.stdout).toMatch(
    new RegExp(`^${part}: 2 rows, \\d+ bytes in /.+/detached/.+; lost\ndamaged parts: 1\n$`),
  );
  const other = await run('damage', stopped.dataDir, 'accept', `call_parts/${first!.name}`);
  expect([other.code, other.stderr]).toEqual([
    1,
    `No damaged part is named call_parts/${first!.name}; npm run damage -- list shows them.\n`,
  ]);
  const accepted = await run('damage', stopped.dataDir, 'accept', part);
  expect([accepted.code, accepted.stderr]).toEqual([0, '']);
  expect(accepted.stdout).toContain(`Removed ${part}: 2 rows`);
  expect(await stopped.countDetached('call_parts')).toBe(0);

  const { service, sumPromptTokens } = await stopped.start();
  expect((await service.send('/health')).status).toBe(200);
  expect(await sumPromptTokens()).toBe(stopped.promptTokens);
  const { code, stderr } = await run('damage', stopped.dataDir, 'list');
  expect([code, stderr]).toEqual([1, expect.stringContaining('is in use by another service')]);
});

test('a truncated part of merged_calls cannot be accepted, because the service fills the table again', async () => {
  const stopped = await useDamagedService(1);
  const [first] = await stopped.listParts('merged_calls');
  await first!.truncate();
  const part = `merged_calls/broken-on-start_${first!.name}`;
  const { code, stderr } = await run('damage', stopped.dataDir, 'accept', part);
  expect([code, stderr]).toEqual([1, expect.stringContaining('the service repairs it')]);
  expect(await stopped.countDetached('merged_calls')).toBe(1);
});

test('verify finds nothing in an intact store, then the trace of a row removed from merged_calls and of one in call_traces, and a changed byte', async () => {
  const stopped = await useDamagedService();
  const intact = await run('verify', stopped.dataDir);
  expect([intact.code, intact.stderr]).toEqual([0, '']);
  expect(intact.stdout.match(/ yes$/gm)).toHaveLength(8);

  await stopped.execute(
    "ALTER TABLE merged_calls DELETE WHERE trace_id = 'trace of call-1' SETTINGS mutations_sync = 2",
  );
  await stopped.execute(
    "INSERT INTO call_traces SELECT * REPLACE (0 AS is_root) FROM call_traces WHERE trace_id = 'trace of call-2'",
  );
  const different = await run('verify', stopped.dataDir);
  expect([different.code, different.stderr]).toEqual([1, '']);
  expect(different.stdout.match(/ no$/gm)).toHaveLength(2);
  expect(different.stdout).toMatch(
    /^merged_calls .+ no\n {2}trace trace of call-1 of \S+ differs\n\w/m,
  );
  expect(different.stdout).toMatch(
    /^call_traces .+ no\n {2}trace trace of call-2 of \S+ differs\n\w/m,
  );

  for (const part of await stopped.listParts('merged_calls')) await part.flipByte();
  const changed = await run('verify', stopped.dataDir);
  expect(changed.code).toBe(1);
  expect(changed.stdout).toMatch(/^merged_calls .+ no\n {2}cannot be compared: /m);
  expect(changed.stdout).toMatch(/^merged_calls .+ no\n {2}part \S+ is damaged: /m);
});

test('verify finds a rollup that was changed by hand, and deletes it, so that the service makes it again', async () => {
  const stopped = await useDamagedService();
  const rollUpAll = async (): Promise<void> => {
    const { service, callIds } = await stopped.start();
    const countRolledUp = async (): Promise<number> =>
      valueOf(await readMetrics(service), 'calls_usage_rolled_up_traces_total') ?? 0;
    const unrolled = hasRollups ? 1 : callIds.length;
    await expect.poll(countRolledUp, { timeout: 60_000 }).toBe(unrolled);
    await service.close();
  };
  let hasRollups = false;
  await rollUpAll();
  hasRollups = true;
  expect((await run('verify', stopped.dataDir)).code).toBe(0);

  await stopped.execute(
    "ALTER TABLE trace_rollups UPDATE calls = calls + 1 WHERE trace_id = 'trace of call-1' SETTINGS mutations_sync = 2",
  );
  const different = await run('verify', stopped.dataDir, '--delete-wrong-rollups');
  expect([different.code, different.stderr]).toEqual([1, '']);
  expect(different.stdout).toMatch(
    /^trace_rollups .+ no\n {2}trace trace of call-1 of \S+ differs\n$/m,
  );
  expect((await run('verify', stopped.dataDir)).code).toBe(0);
  await rollUpAll();
}, 180_000);

/** More groups than a rollup may have, were there groups of each top call, which uses two models. */
const manyTopCalls = Array.from({ length: 5_001 }, (_, index) => ({
  id: `top-${index}`,
  trace: 'many',
  usage: { m: { prompt_tokens: 1 }, n: { prompt_tokens: 1 } },
}));

test('verify computes rollups of cycles, of many top calls and of deleted calls again, and finds what was changed in each', async () => {
  const stopped = await useDamagedService();
  const { service, project, callIds } = await stopped.start();
  await project.sendCompleteCalls(
    { id: 'x', trace: 'cycle', parent: 'y', usage: promptUsage(1) },
    { id: 'y', trace: 'cycle', parent: 'x', usage: promptUsage(20) },
    { id: 'below', trace: 'cycle', parent: 'x' },
    { id: 'root', trace: 'beside a cycle' },
    { id: 'v', trace: 'beside a cycle', parent: 'w', usage: promptUsage(300) },
    { id: 'w', trace: 'beside a cycle', parent: 'v' },
    { id: 'gone', trace: 'deleted', usage: promptUsage(4_000) },
    ...manyTopCalls,
  );
  await project.deleteCalls('gone');
  const special = ['beside a cycle', 'cycle', 'deleted', 'many'];
  const countRolledUp = async (): Promise<number> =>
    valueOf(await readMetrics(service), 'calls_usage_rolled_up_traces_total') ?? 0;
  await expect
    .poll(countRolledUp, { timeout: 60_000 })
    .toBeGreaterThanOrEqual(callIds.length + special.length);
  await service.close();
  const intact = await run('verify', stopped.dataDir);
  expect([intact.code, intact.stderr], intact.stdout).toEqual([0, '']);

  const names = special.map((name) => `'${name}'`).join();
  await stopped.execute(
    `ALTER TABLE trace_rollups UPDATE calls = calls + 1 WHERE trace_id IN (${names}) SETTINGS mutations_sync = 2`,
  );
  const different = await run('verify', stopped.dataDir);
  const found = [...different.stdout.matchAll(/^ {2}trace (.+) of \S+ differs$/gm)];
  expect(found.map(([, trace]) => trace)).toEqual(special);
}, 180_000);

test('wrong usage prints the commands and exits with 2', async () => {
  const ended = await Promise.all([
    run('damage', 'none'),
    run('damage', 'none', 'accept'),
    run('verify', 'none', 'calls'),
  ]);
  for (const { code, stderr } of ended) {
    expect(code).toBe(2);
    expect(stderr).toMatch(/^npm run (damage|verify) /);
  }
});
