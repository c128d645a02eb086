import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clickhouseFixture, fixture } from '../../support/fixtures.ts';
import { openService } from '../../support/http/service.ts';
import { issueTypesOf } from '../../support/http/validation-issues.ts';

const clickhouse = clickhouseFixture();
const service = fixture(async () => {
  const opened = await openService({ ...clickhouse.environment, BODY_LIMIT_MB: '64' });
  await opened.ready;
  return opened;
});
let rowCountsBefore: unknown;
beforeAll(async () => {
  rowCountsBefore = await readRowCounts();
});

afterEach(async () => {
  expect((await service.send('/health')).status).toBe(200);
});

/** The number of rows of every table. */
function readRowCounts(): Promise<unknown> {
  return clickhouse.query(
    'SELECT name, total_rows FROM system.tables WHERE database = currentDatabase() ORDER BY name',
  );
}

async function expectNothingStored(): Promise<void> {
  expect(await readRowCounts()).toEqual(rowCountsBefore);
}

const time = '2026-01-01T00:00:00Z';
const start = {
  project_id: 'a/b',
  id: 'x',
  trace_id: 't',
  op_name: 'op',
  started_at: time,
  attributes: {},
  inputs: {},
};
const end = { project_id: 'a/b', id: 'x', ended_at: time, summary: {} };

/** Each endpoint that takes parts: path, kind of part, body with a part, location of the part, a valid part. */
const partEndpoints: [string, string, (part: object) => unknown, string, object][] = [
  ['/call/start', 'start', (part) => ({ start: part }), 'body.start', start],
  ['/call/end', 'end', (part) => ({ end: part }), 'body.end', end],
  [
    '/call/upsert_batch',
    'start',
    (part) => ({ batch: [{ mode: 'start', req: { start: part } }] }),
    'body.batch.0.req.start',
    start,
  ],
  [
    '/call/upsert_batch',
    'end',
    (part) => ({ batch: [{ mode: 'end', req: { end: part } }] }),
    'body.batch.0.req.end',
    end,
  ],
  [
    '/v2/a/b/calls/complete',
    'complete call',
    (part) => ({ batch: [part] }),
    'body.batch.0',
    { ...start, ...end },
  ],
  ['/v2/a/b/call/start', 'start', (part) => ({ start: part }), 'body.start', start],
  ['/v2/a/b/call/end', 'end', (part) => ({ end: part }), 'body.end', end],
];

/** The fields of a part that hold free-form JSON which is parsed. */
function freeFormFieldsOf(part: object): string[] {
  const fields = 'started_at' in part ? ['attributes'] : [];
  return 'ended_at' in part ? [...fields, 'summary'] : fields;
}

const nested = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

/** A body as text in which one field is raw JSON, which may be too deep for JSON.stringify. */
function withRaw(
  wrap: (part: object) => unknown,
  part: object,
  field: string,
  raw: string,
): string {
  return JSON.stringify(wrap({ ...part, [field]: 'RAW' })).replace('"RAW"', raw);
}

describe.each(partEndpoints)('%s with %s', (path, _kind, wrap, at, part) => {
  test.each(freeFormFieldsOf(part))('%s nested 20,000 levels deep is refused', async (field) => {
    const body = withRaw(wrap, part, field, nested(20_000));

    expect(issueTypesOf(await service.send(path, { body }))).toEqual([
      `${at}.${field} recursion_loop`,
    ]);
    await expectNothingStored();
  });

  test.each(freeFormFieldsOf(part))('%s nested 501 levels deep is refused', async (field) => {
    const body = withRaw(wrap, part, field, nested(501));
    expect(issueTypesOf(await service.send(path, { body }))).toEqual([
      `${at}.${field} recursion_loop`,
    ]);
  });

  test('lists nested 20,000 levels deep in an unknown field are ignored', async () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    const body = withRaw(wrap, { ...part, project_id: 1 }, 'unknown', deep);
    expect(issueTypesOf(await service.send(path, { body }))).toEqual([
      `${at}.project_id string_type`,
    ]);
  });

  test('strings of half a megabyte are refused, each field with an issue of its own', async () => {
    const long = 'x'.repeat(524_288);
    const fields = ['project_id', 'id', 'op_name', 'trace_id', 'parent_id', 'exception'].filter(
      (field) => field in part,
    );
    const changed = Object.fromEntries(fields.map((field) => [field, long]));

    const issues = issueTypesOf(await service.send(path, { body: wrap({ ...part, ...changed }) }));

    expect(issues.sort()).toEqual(fields.map((field) => `${at}.${field} string_too_long`).sort());
    await expectNothingStored();
  });

  test('a time of a megabyte is refused', async () => {
    const long = '2026-01-01T00:00:00.' + '0'.repeat(1_048_576);
    const field = 'started_at' in part ? 'started_at' : 'ended_at';
    const answer = await service.send(path, { body: wrap({ ...part, [field]: `${long}x` }) });
    expect(issueTypesOf(answer)).toEqual([`${at}.${field} datetime_parsing`]);
  });

  test('a number beyond the range of a double or a safe integer is refused', async () => {
    const field = 'started_at' in part ? 'wb_run_step' : 'wb_run_step_end';
    for (const raw of ['1e400', '-1e400']) {
      const body = withRaw(wrap, part, field, raw);
      expect(issueTypesOf(await service.send(path, { body }))).toEqual([
        `${at}.${field} finite_number`,
      ]);
    }
    for (const raw of ['9007199254740993', '18446744073709551616', '1e300']) {
      const body = withRaw(wrap, part, field, raw);
      expect(issueTypesOf(await service.send(path, { body }))).toEqual([
        `${at}.${field} less_than_equal`,
      ]);
    }
  });
});

const summaryEndpoints = partEndpoints.filter(([, , , , part]) => 'summary' in part);

describe.each(summaryEndpoints)('%s with %s', (path, _kind, wrap, at, part) => {
  test('a model name with a lone surrogate is refused', async () => {
    const summary = { usage: { ['gpt\ud83d']: { prompt_tokens: 1 } } };
    expect(issueTypesOf(await service.send(path, { body: wrap({ ...part, summary }) }))).toEqual([
      `${at}.summary.usage.gpt\ud83d.[key] string_unicode`,
    ]);
    await expectNothingStored();
  });

  test('a model name of a megabyte is refused', async () => {
    const name = 'x'.repeat(1_048_576);
    const body = wrap({ ...part, summary: { usage: { [name]: { prompt_tokens: 1 } } } });
    expect(issueTypesOf(await service.send(path, { body }))).toEqual([
      `${at}.summary.usage.${name}.[key] string_too_long`,
    ]);
    await expectNothingStored();
  });
});

describe('/calls/usage', () => {
  test('lone surrogates are refused in every field', async () => {
    const body = { project_id: 'a/\ud800', call_ids: ['x', '\udc00', 'y\ud800'] };
    expect(issueTypesOf(await service.send('/calls/usage', { body }))).toEqual([
      'body.project_id string_unicode',
      'body.call_ids.1 string_unicode',
      'body.call_ids.2 string_unicode',
    ]);
  });

  test.each([
    ['0', 'greater_than_equal'],
    ['-1', 'greater_than_equal'],
    ['-9007199254740993', 'greater_than_equal'],
    ['1e400', 'finite_number'],
    ['-1e400', 'finite_number'],
    ['0.5', 'int_from_float'],
    ['1e-400', 'greater_than_equal'],
  ])('a limit of %s is refused', async (limit, type) => {
    const body = `{"project_id":"a/b","call_ids":["x"],"limit":${limit}}`;
    expect(issueTypesOf(await service.send('/calls/usage', { body }))).toEqual([
      `body.limit ${type}`,
    ]);
  });

  test.each(['1', '10000.0', '1e4', '9007199254740993', '18446744073709551616', '1e300'])(
    'a limit of %s is accepted',
    async (limit) => {
      const body = `{"project_id":"a/b","call_ids":["x"],"limit":${limit}}`;
      const answer = await service.send('/calls/usage', { body });
      expect(answer.status, answer.text).toBe(200);
    },
  );

  test('a body of 290,000 invalid ids is refused with 10,000 issues', async () => {
    const body = `{"project_id":"a/b","call_ids":[${'1,'.repeat(290_000)}1]}`;
    const answer = await service.send('/calls/usage', { body });
    expect(issueTypesOf(answer)).toHaveLength(10_000);
  });

  test('an invalid id after 290,000 valid ones is reported', async () => {
    const body = { project_id: 'a/b', call_ids: [...Array<string>(290_000).fill('x'), 1] };
    expect(issueTypesOf(await service.send('/calls/usage', { body }))).toEqual([
      'body.call_ids.290000 string_type',
    ]);
  });

  test('a body of 290,000 unknown fields is refused with one issue', async () => {
    const fields = Array.from({ length: 290_000 }, (_, index) => `"f${String(index)}":1`);
    const body = `{"project_id":"a/b","call_ids":["x"],${fields.join(',')}}`;
    expect(issueTypesOf(await service.send('/calls/usage', { body }))).toEqual(['body too_long']);
  });
});

describe('/cost/create', () => {
  const send = (raw: string) =>
    service.send('/cost/create', { body: `{"project_id":"a/b","costs":${raw}}` });
  const at = 'body.costs.m.prompt_token_cost';

  test.each([
    ['1e400', 'finite_number'],
    ['-1e400', 'finite_number'],
    ['1e300', 'less_than_equal'],
    ['0.010000000000000002', 'less_than_equal'],
    ['-1e-300', 'greater_than_equal'],
    ['"0.1"', 'float_type'],
  ])('a price of %s is refused', async (price, type) => {
    const answer = await send(`{"m":{"prompt_token_cost":${price},"completion_token_cost":0}}`);
    expect(issueTypesOf(answer)).toEqual([`${at} ${type}`]);
    await expectNothingStored();
  });

  test('an invalid price stores none of the request', async () => {
    const valid = '{"prompt_token_cost":0.01,"completion_token_cost":0.01}';
    const answer = await send(`{"a":${valid},"__proto__":{"prompt_token_cost":0.01},"z":${valid}}`);
    expect(issueTypesOf(answer)).toEqual(['body.costs.__proto__.completion_token_cost missing']);
    await expectNothingStored();
  });

  test('290,000 prices are refused with few issues', async () => {
    const costs = Array.from({ length: 290_000 }, (_, index) => `"m${String(index)}":1`);
    expect((await send(`{${costs.join(',')}}`)).text.length).toBeLessThan(1_000);
    await expectNothingStored();
  });
});

test('/obj/create refuses an object nested 100,000 levels deep', async () => {
  const object = { project_id: 'a/b', object_id: 'o' };
  const body = withRaw((obj) => ({ obj }), object, 'val', nested(100_000));
  const answer = await service.send('/obj/create', { body });
  expect(issueTypesOf(answer)).toEqual(['body.obj.val recursion_loop']);
});

test.each([
  [
    '/table/create',
    'table.rows',
    (rows: string) => `{"table":{"project_id":"a/b","rows":[${rows}]}}`,
  ],
  [
    '/feedback/create',
    'payload',
    (payload: string) =>
      `{"project_id":"a/b","weave_ref":"x","feedback_type":"x","payload":{"a":${payload}}}`,
  ],
])('%s refuses JSON nested more than 500 levels deep in %s', async (path, field, bodyWith) => {
  const nestedLists = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const refused = await service.send(path, { body: bodyWith(nestedLists(20_000)) });
  expect(issueTypesOf(refused)).toEqual([`body.${field} recursion_loop`]);
  expect((await service.send(path, { body: bodyWith(nestedLists(499)) })).status).toBe(200);
});

test('/call/upsert_batch drops 100,000 invalid items and reports the first 1,000', async () => {
  const body = { batch: Array(100_000).fill({ mode: 'start', req: { start: {} } }) };
  const answer = await service.send('/call/upsert_batch', { body });

  expect(answer.status).toBe(200);
  const report = answer.json() as { res: unknown[]; dropped: unknown[]; num_dropped: number };
  expect(report.res).toHaveLength(100_000);
  expect(report.dropped).toHaveLength(1_000);
  expect(report.num_dropped).toBe(100_000);
  await expectNothingStored();
});
