import { afterAll, beforeAll, expect, test } from 'vitest';

import { openTestClickHouse, type TestClickHouse } from '../../support/clickhouse.ts';
import { basicAuthorization, testKey, useService } from '../../support/service.ts';

/** Long enough a chain that a call inside it takes ClickHouse far more than 100 ms, in some 18 steps. */
const length = 200_000;

let opened: TestClickHouse;
beforeAll(async () => {
  opened = await openTestClickHouse();
  await opened.command(
    `INSERT INTO call_parts (project_id, id, kind, trace_id, parent_id, started_at, ended_at, summary_dump)
     SELECT 'long/chain', concat('call-', toString(number)), 'whole', 'trace',
       if(number = 0, '', concat('call-', toString(number - 1))),
       toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL number MILLISECOND, now64(6),
       '{"usage":{"gpt-4o":{"requests":1,"prompt_tokens":1}}}'
     FROM numbers({length:UInt32})`,
    { length },
  );
}, 120_000);
afterAll(() => opened.close());

const question = { project_id: 'long/chain', call_ids: ['call-1'], limit: length };

/** Questions that ClickHouse is at work at; the memory of a query goes with it. */
async function running(): Promise<number> {
  const sql = `SELECT count() AS count FROM system.processes
    WHERE current_database = currentDatabase() AND startsWith(query_id, 'usage_')`;
  const [row] = await opened.query<{ count: string }>(sql);
  return Number(row?.count);
}

test('a question that runs into QUERY_TIMEOUT_MS is answered with 504 and leaves no query behind', async () => {
  const service = await useService({ ...opened.environment, QUERY_TIMEOUT_MS: '100' });
  await service.ready;
  const answer = await service.send('/calls/usage', { body: question });
  expect(answer.status).toBe(504);
  await expect.poll(running).toBe(0);
});

test('a client that hangs up ends its query in ClickHouse', async () => {
  const service = await useService(opened.environment);
  await service.ready;
  const controller = new AbortController();
  const asked = fetch(`${service.url}/calls/usage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: basicAuthorization(testKey) },
    body: JSON.stringify(question),
    signal: controller.signal,
  });
  const rejected = expect(asked).rejects.toThrow('aborted');
  await expect.poll(running, { interval: 5 }).toBeGreaterThan(0);
  controller.abort();
  await rejected;
  await expect.poll(running).toBe(0);
  // The service is none the worse for it, and the query was ended, not finished: nothing was answered with 200.
  expect((await service.send('/health')).status).toBe(200);
  await expect
    .poll(() => service.logLines().map(({ route, status }) => `${String(route)} ${String(status)}`))
    .toContain('/calls/usage 499');
});
