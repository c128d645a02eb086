import { beforeAll, describe, expect, test } from 'vitest';
import { clickhouseFixture, fixture } from '../support/fixtures.ts';
import { openMeasuredService, type RawAnswer } from '../support/http/measured-service.ts';
import { toMaxTurnMs } from '../support/http/max-turn.ts';
import type { UsageAnswer } from '../support/usage-client.ts';

const database = clickhouseFixture();
const service = fixture(() =>
  // ClickHouse itself takes long for some of these requests where other tests run.
  openMeasuredService({ ...database.environment, DRAIN_MS: '0', QUERY_TIMEOUT_MS: '60000' }),
);

const project_id = 'team/large';
const jsonType = { 'content-type': 'application/json' };

beforeAll(async () => {
  // The first request of a kind compiles code.
  await postJson('/calls/usage', { project_id, call_ids: ['unknown'] });
  await postJson('/obj/create', { obj: { project_id, object_id: 'x', val: { a: 1 } } });
});

/** Sends a request; no turn of the event loop may take too long meanwhile. */
async function post(path: string, body: Buffer, headers = jsonType): Promise<RawAnswer> {
  await service.longestTurnMs();
  const answer = await service.post(path, body, headers);
  const longestMs = await service.longestTurnMs();
  if (process.env['PRINT_TURNS'] !== undefined) {
    console.log(`${path}, ${body.length} bytes: ${longestMs.toFixed(0)} ms`);
  }
  expect(longestMs).toBeLessThanOrEqual(toMaxTurnMs());
  return answer;
}

async function postJson(path: string, body: object, status = 200): Promise<Buffer> {
  const answer = await post(path, Buffer.from(JSON.stringify(body)));
  expect(answer.status, answer.body.toString('utf8', 0, 1_000)).toBe(status);
  return answer.body;
}

async function queryUsage(call_ids: readonly string[], more: object = {}): Promise<UsageAnswer> {
  const body = await postJson('/calls/usage', { project_id, call_ids, limit: 1e6, ...more });
  return JSON.parse(body.toString()) as UsageAnswer;
}

/** Columns of calls, as SQL about the number `n` of a call. */
interface CallColumns {
  readonly id: string;
  readonly trace_id: string;
  readonly parent_id?: string;
  readonly ended_at?: string;
  readonly summary_dump?: string;
}

const time = `toDateTime64('2026-01-31 12:00:00', 6, 'UTC')`;

/** Makes calls in ClickHouse itself, which is faster than sending them. */
async function insertCalls(count: number, columns: CallColumns): Promise<void> {
  const kind = columns.ended_at === undefined ? `'start'` : `'whole'`;
  const all = { project_id: `'${project_id}'`, kind, started_at: time, ...columns };
  await database.command(
    `INSERT INTO call_parts (${Object.keys(all).join()})
     SELECT ${Object.values(all).join()} FROM (SELECT number AS n FROM numbers(${count}))`,
  );
}

function listOf<T>(length: number, toItem: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => toItem(index));
}

describe('other requests wait for no more than 100 ms while the service answers the usage of', () => {
  test('a trace with 150,000 models, all of them', async () => {
    const [calls, models] = [150, 1_000];
    const usage = `concat('"model-', toString(n), '-', toString(m), '":{"prompt_tokens":', toString(n * ${models} + m + 1), '}')`;
    await insertCalls(calls, {
      id: `concat('model-', toString(n))`,
      trace_id: `'models'`,
      parent_id: `if(n = 0, '', 'model-0')`,
      ended_at: time,
      summary_dump: `concat('{"usage":{', arrayStringConcat(arrayMap(m -> ${usage}, range(${models})), ','), '}}')`,
    });

    const { call_usage } = await queryUsage(['model-0'], { include_costs: true });

    const sums = Object.values(call_usage['model-0'] ?? {});
    const all = calls * models;
    expect(sums).toHaveLength(all);
    expect(sums.reduce((sum, { prompt_tokens }) => sum + prompt_tokens, 0)).toBe(
      (all * (all + 1)) / 2,
    );
    // More models than it compares.
    await postJson('/cost/unpriced', { project_id, limit: 10_000 }, 422);
  });

  test('120,000 traces, all of them', async () => {
    const ids = listOf(120_000, (call) => `one-of-many-${call}`);
    const id = `concat('one-of-many-', toString(n))`;
    const summary_dump = `concat('{"usage":{"m":{"prompt_tokens":', toString(n), '}}}')`;
    await insertCalls(ids.length, { id, trace_id: id, ended_at: time, summary_dump });

    const { call_usage } = await queryUsage(ids);

    expect(Object.keys(call_usage)).toEqual(ids);
    expect(ids.map((each) => call_usage[each]?.['m']?.prompt_tokens ?? 0)).toEqual(
      ids.map((_, index) => index),
    );
  }, 240_000);

  test('a trace with 200,000 unfinished calls, which are one row of ClickHouse', async () => {
    const ids = listOf(200_000, (call) => `unfinished-${call}`);
    await insertCalls(ids.length, {
      id: `concat('unfinished-', toString(n))`,
      trace_id: `'unfinished'`,
      parent_id: `if(n = 0, '', 'unfinished-0')`,
    });

    const { unfinished_call_ids } = await queryUsage(['unfinished-0']);

    expect(unfinished_call_ids).toEqual(ids.toSorted());
  });

  test('30,000 calls inside one trace', async () => {
    const ids = listOf(30_000, (call) => `unfinished-${call + 1}`);
    const { unfinished_call_ids } = await queryUsage(ids);
    expect(unfinished_call_ids).toEqual(ids.toSorted());
  });

  test('as many unknown calls as a body may have', async () => {
    const ids = listOf(299_990, (call) => `unknown-${call}`);
    expect(Object.keys((await queryUsage(ids)).call_usage)).toEqual(ids);
  });

  test.each(['x', "'", '😀'])('a call whose id is 7.9 MB of %s', async (text) => {
    const id = text.repeat(7_900_000 / Buffer.byteLength(text));
    expect(Object.keys((await queryUsage([id])).call_usage)).toEqual([id]);
  });

  test('ids that are invalid', async () => {
    for (const id of [7, '\ud800']) {
      await postJson('/calls/usage', { project_id, call_ids: listOf(299_990, () => id) }, 422);
    }
  });
});

describe('other requests wait for no more than 100 ms while the service reads', () => {
  test('the deletion of as many calls as one request may delete', async () => {
    await postJson('/calls/delete', { project_id, call_ids: listOf(100_000, String) });
  });

  test.each([
    ['one text of 31 MB', () => 'x'.repeat(31 * 1_048_576)],
    ['one text of 31 MB beyond ASCII', () => '"é'.repeat(8 * 1_000_000)],
    ['299,000 numbers', () => listOf(299_000, (index) => index / 7)],
    [
      '290,000 texts with escapes',
      () => listOf(290_000, (index) => `"\n${index}${'é'.repeat(40)}`),
    ],
    [
      '299,000 members',
      () =>
        Object.fromEntries(
          listOf(299_000, (index) => [`${(index * 7919) % 299_000}-${'x'.repeat(60)}`, index]),
        ),
    ],
    [
      'a deep tree',
      () => {
        let tree: unknown[] = [];
        for (let level = 1; level < 480; level += 1) tree = [tree, listOf(500, () => level)];
        return tree;
      },
    ],
  ])('an object of %s', async (_what, toValue) => {
    const body = await postJson('/obj/create', {
      obj: { project_id, object_id: 'x', val: toValue() },
    });
    expect(JSON.parse(body.toString())).toMatchObject({ object_id: 'x' });
  });

  test('members that the schema does not have, or too many of those that it has', async () => {
    const members = Object.fromEntries(listOf(290_000, (index) => [`m${index}`, 1]));
    await postJson('/calls/usage', { project_id, call_ids: ['x'], ...members }, 422);
    await postJson('/cost/create', { project_id, costs: members }, 422);
  });

  test('a table of 99,000 rows', async () => {
    const rows = listOf(99_000, (index) => ({ index, text: 'x'.repeat(280) }));
    const body = await postJson('/table/create', { table: { project_id, rows } });
    expect((JSON.parse(body.toString()) as { row_digests: string[] }).row_digests).toHaveLength(
      rows.length,
    );
  });

  test('feedback of 31 MB, which is in the answer', async () => {
    const payload = { texts: listOf(99_000, () => 'x'.repeat(300)), text: 'x'.repeat(1_000_000) };
    const weave_ref = 'weave:///a/b/call/x';
    const feedback = { project_id, weave_ref, feedback_type: 'x', payload };
    const body = await postJson('/feedback/create', feedback);
    expect((JSON.parse(body.toString()) as typeof feedback).payload).toEqual(payload);
  });

  test('a file of 60 MB', async () => {
    const part = (name: string): string => `--b\r\ncontent-disposition: form-data; name="${name}"`;
    const form = Buffer.concat([
      Buffer.from(`${part('project_id')}\r\n\r\n${project_id}\r\n`),
      Buffer.from(`${part('file')}; filename="x"\r\n\r\n`),
      Buffer.alloc(60_000_000, 'x\r\n-'),
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const type = { 'content-type': 'multipart/form-data; boundary=b' };
    expect((await post('/file/create', form, type)).status).toBe(200);
  });

  test.each([
    ['texts', () => listOf(24_900, () => 'x'.repeat(150))],
    [
      'members',
      () => Object.fromEntries(listOf(24_900, (index) => [`${'x'.repeat(140)}${index}`, index])),
    ],
  ])('calls that have as many %s as one call may have', async (_what, toValue) => {
    const time = '2026-01-31T12:00:00Z';
    const start = { project_id, id: 'x', trace_id: 'y', op_name: 'op', started_at: time };
    const call = { ...start, inputs: {}, attributes: { x: toValue() } };
    await postJson('/call/start', { start: call });
    const batch = listOf(12, () => ({ ...call, ended_at: time, summary: {} }));
    const answer = await postJson(`/v2/${project_id}/calls/complete`, { batch });
    expect(answer.toString()).not.toContain('"dropped"');
  });
});
