import { expect, test } from 'vitest';
import { openTestClickHouse } from '../../support/clickhouse/clickhouse.ts';
import { fixture } from '../../support/fixtures.ts';
import { basicAuthorization, testKey, useService } from '../../support/http/service.ts';

/** Long enough that ClickHouse needs far more than 100 ms for a call inside the chain, in some 18 steps. */
const chainLength = 200_000;

const clickhouse = fixture(async () => {
  const opened = await openTestClickHouse();
  await opened.command(
    `INSERT INTO call_parts (project_id, id, kind, trace_id, parent_id, started_at, ended_at, summary_dump)
     SELECT 'long/chain', concat('call-', toString(number)), 'whole', 'trace',
       if(number = 0, '', concat('call-', toString(number - 1))),
       toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL number MILLISECOND, now64(6),
       '{"usage":{"gpt-4o":{"requests":1,"prompt_tokens":1}}}'
     FROM numbers({chainLength:UInt32})`,
    { chainLength },
  );
  return opened;
});

const usageRequest = { project_id: 'long/chain', call_ids: ['call-1'], limit: chainLength };

/** The number of usage queries that ClickHouse is executing. */
async function countRunningQueries(): Promise<number> {
  const sql = `SELECT count() AS count FROM system.processes
    WHERE current_database = currentDatabase() AND startsWith(query_id, 'usage_')`;
  const [row] = await clickhouse.query<{ count: string }>(sql);
  return Number(row?.count);
}

test('a usage request that exceeds QUERY_TIMEOUT_MS is answered with 504 and its query is cancelled', async () => {
  const service = await useService({ ...clickhouse.environment, QUERY_TIMEOUT_MS: '100' });
  await service.ready;
  const answer = await service.send('/calls/usage', { body: usageRequest });
  expect(answer.status).toBe(504);
  await expect.poll(countRunningQueries).toBe(0);
});

test('the query of a client that disconnects is cancelled', async () => {
  const service = await useService(clickhouse.environment);
  await service.ready;
  const controller = new AbortController();
  const answer = fetch(`${service.url}/calls/usage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: basicAuthorization(testKey) },
    body: JSON.stringify(usageRequest),
    signal: controller.signal,
  });
  const rejected = expect(answer).rejects.toThrow('aborted');
  await expect.poll(countRunningQueries, { interval: 5 }).toBeGreaterThan(0);
  controller.abort();
  await rejected;
  await expect.poll(countRunningQueries).toBe(0);
  // The query was cancelled and did not finish: the request is logged with 499, not with 200.
  expect((await service.send('/health')).status).toBe(200);
  await expect
    .poll(() => service.logLines().map(({ route, status }) => `${String(route)} ${String(status)}`))
    .toContain('/calls/usage 499');
});
