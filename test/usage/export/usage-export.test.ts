import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';
import {
  basicAuthorization,
  openService,
  type TestAnswer,
  testKey,
} from '../../support/http/service.ts';
import { toProject } from '../../support/usage-client.ts';

const maxProjects = 3;
const client = usageClientFixture({
  EXPORT_MAX_PROJECTS: String(maxProjects),
  STATS_MAX_CALLS: '20',
});

const window = { start: '2026-03-01T00:00:00Z', end: '2026-03-03T00:00:00Z' };
const price = {
  prompt_token_cost: 0.001,
  completion_token_cost: 0.002,
  effective_date: '2026-01-01',
};
const usage = { requests: 1, prompt_tokens: 10, completion_tokens: 5, cache_read_input_tokens: 3 };

type Parameters = Readonly<Record<string, string | readonly string[]>>;

function toPath(parameters: Parameters): string {
  const entries = Object.entries({ ...window, ...parameters }).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((each): [string, string] => [name, each]),
  );
  return `/usage/export?${new URLSearchParams(entries).toString()}`;
}

/** Downloads a file, which must be answered with 200. */
async function download(parameters: Parameters): Promise<TestAnswer> {
  const answer = await client.service.send(toPath(parameters));
  expect(answer.status, answer.text).toBe(200);
  return answer;
}

/** What ClickHouse reads of a file. */
async function reread<Row>(text: string, format: string, sql: string): Promise<Row[]> {
  const input = format === 'jsonl' ? 'JSONEachRow' : 'CSVWithNames';
  const literal = text.replace(/[\\']/g, '\\$&');
  return await client.clickhouse.query<Row>(`SELECT ${sql} FROM format(${input}, '${literal}')`);
}

/** What ClickHouse reads of a file of Parquet. */
async function rereadParquet<Row>(
  parameters: Parameters,
  verb: string,
  input = 'Parquet',
): Promise<Row[]> {
  const response = await fetch(client.service.url + toPath({ ...parameters, format: 'parquet' }), {
    headers: { authorization: basicAuthorization(testKey) },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/vnd.apache.parquet');
  const file = Buffer.from(await response.arrayBuffer()).toString('base64');
  return await client.clickhouse.query<Row>(`${verb} format(${input}, base64Decode('${file}'))`);
}

interface ModelSums {
  readonly model: string;
  readonly tokens: number;
  readonly cost: number | null;
  readonly calls: number;
  readonly unpriced: number;
}

/** What /calls/stats answers about the window, by model. */
async function querySums(projectId: string): Promise<ModelSums[]> {
  const answer = await client.service.send('/calls/stats', {
    body: {
      ...{ project_id: projectId, ...window, granularity: 31_622_400 },
      usage_metrics: [{ metric: 'total_tokens' }, { metric: 'total_cost' }],
    },
  });
  const { usage_buckets, unpriced } = answer.json() as {
    usage_buckets: {
      model: string;
      sum_total_tokens: number;
      sum_total_cost: number | null;
      count: number;
    }[];
    unpriced: { model: string; total_tokens: number }[];
  };
  return usage_buckets.map(({ model, sum_total_tokens, sum_total_cost, count }) => ({
    model,
    tokens: sum_total_tokens,
    cost: sum_total_cost,
    calls: count,
    unpriced: unpriced.find((each) => each.model === model)?.total_tokens ?? 0,
  }));
}

const ownColumns = ['model', 'total_tokens', 'cost_usd', 'calls', 'unpriced_tokens'];
const focusCost = 'if(x_IsUnpriced, NULL, BilledCost)';
const focusColumns = ['SkuId', 'PricingQuantity', focusCost, 'x_Calls', 'x_UnpricedTokens'];

test.each([
  ['csv', ownColumns],
  ['jsonl', ownColumns],
  ['focus', focusColumns],
])('ClickHouse reads from a file of %s the sums of /calls/stats', async (format, columns) => {
  const project = client.newProject();
  await project.setPrices({ priced: price, other: price });
  const calls = [1, 2].map((day) => ({
    ...{ id: `c${day}`, trace: `t${day}`, startedAt: `2026-03-0${day}T05:00:00Z` },
    usage: { priced: usage, other: usage, 'no price': usage },
  }));
  await project.sendCompleteCalls(...calls);
  const { text } = await download({ project: project.id, format, bucket: 'hour' });
  const [model, tokens, cost, count, unpriced] = columns as [
    string,
    string,
    string,
    string,
    string,
  ];
  const rows = await reread<{ model: string; tokens: number; cost: string | null }>(
    text,
    format,
    `${model} AS model, toFloat64(${tokens}) AS tokens, toFloat64OrNull(toString(${cost})) AS cost,
      toFloat64(${count}) AS calls, toFloat64(${unpriced}) AS unpriced`,
  );
  expect(rows).toHaveLength(6);
  const sums = await client.clickhouse.query<ModelSums>(
    `SELECT model, sum(tokens) AS tokens, sum(cost) AS cost, sum(calls) AS calls, sum(unpriced) AS unpriced
     FROM format(JSONEachRow, 'model String, tokens Float64, cost Nullable(Float64), calls Float64, unpriced Float64', '${JSON.stringify(rows)}')
     GROUP BY model ORDER BY model`,
  );
  const expected = await querySums(project.id);
  expect(expected.map(({ model }) => model)).toEqual(['no price', 'other', 'priced']);
  expect(expected.map((each) => each.unpriced > 0)).toEqual([true, false, false]);
  expect(sums).toEqual(expected);
});

test('costs have all digits, and say what is missing in them', async () => {
  const project = client.newProject();
  await project.setPrices({
    m: { ...price, prompt_token_cost: 0.000000000000000000000000000001 },
    p: price,
  });
  await project.sendCompleteCalls({
    ...{ id: 'a', startedAt: window.start },
    usage: { m: { prompt_tokens: 1e15 + 1, completion_tokens: 0 }, n: { prompt_tokens: 1 } },
  });
  await project.sendCompleteCalls({
    ...{ id: 'b', trace: 'b', startedAt: window.start },
    usage: { o: { requests: 2 }, p: { requests: 1, prompt_tokens: 1 } },
  });
  await project.sendCompleteCalls({
    ...{ id: 'c', trace: 'c', startedAt: window.start },
    usage: { p: { requests: 3 } },
  });
  const { text } = await download({ project: project.id, format: 'jsonl' });
  const rows = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(rows).toMatchObject([
    { model: 'm', cost_usd: '0.000000000000001000000000000001', is_lower_bound: false },
    { model: 'n', cost_usd: null, is_lower_bound: true, unpriced_tokens: 1 },
    { model: 'o', cost_usd: null, is_lower_bound: true, unpriced_requests: 2 },
    { model: 'p', cost_usd: '0.001', is_lower_bound: true, requests: 4, unpriced_requests: 3 },
  ]);
});

test('a file of Parquet has the rows and digits of CSV, over all projects and row groups', async () => {
  const projects = ['parquet/a', 'parquet/b'].map((id) => toProject(client.service, id));
  for (const [index, project] of projects.entries()) {
    await project.setPrices({ m: { ...price, prompt_token_cost: 1e-24 / (index + 1) } });
    await project.sendCompleteCalls(
      ...[1, 2].map((day) => ({
        ...{ id: `c${day}`, trace: `t${day}`, startedAt: `2026-03-0${day}T05:00:00Z` },
        usage: Object.fromEntries(
          // More rows than a row group has.
          ['m', ...Array.from({ length: 300 }, (_, model) => `ünpriced ${model}`)].map((model) => [
            model,
            { requests: 1, prompt_tokens: Number.MAX_SAFE_INTEGER, completion_tokens: day },
          ]),
        ),
      })),
    );
  }
  const parameters = { project: 'parquet/*', timezone: 'Asia/Kolkata', bucket: 'hour' };
  const { text } = await download({ ...parameters, format: 'jsonl' });
  const expected = text
    .trim()
    .replace(/:(\d+)(?=[,}])/g, ':"$1"')
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
    .map((row) => ({
      ...row,
      bucket_start: String(Date.parse(row['bucket_start'] ?? '')),
      bucket_end: String(Date.parse(row['bucket_end'] ?? '')),
    }));
  expect(expected).toHaveLength(2 * 2 * 301);
  expect(expected[0]).toMatchObject({ model: 'm', cost_usd: '0.002000009007199254740991' });
  const verb = `SELECT * REPLACE (toUnixTimestamp64Milli(bucket_start) AS bucket_start,
    toUnixTimestamp64Milli(bucket_end) AS bucket_end, toString(cost_usd) AS cost_usd) FROM`;
  expect(await rereadParquet(parameters, verb)).toEqual(expected);
});

test('columns of Parquet have types, also in a file without rows', async () => {
  const parameters = { project: client.newProject().id, group_by: 'op_name' };
  const described = await rereadParquet<{ name: string; type: string }>(parameters, 'DESCRIBE');
  expect(described.map(({ name, type }) => [name, type])).toEqual([
    ['project_id', 'String'],
    ['bucket_start', "DateTime64(3, 'UTC')"],
    ['bucket_end', "DateTime64(3, 'UTC')"],
    ...['model', 'op_name'].map((name) => [name, 'String']),
    ...['calls', 'requests', 'prompt_tokens', 'completion_tokens', 'total_tokens'].map(toCount),
    ...['cache_read_input_tokens', 'cache_creation_input_tokens'].map(toCount),
    ['cost_usd', 'Nullable(Decimal(38, 27))'],
    ['is_lower_bound', 'Bool'],
    ...['unpriced_requests', 'unpriced_tokens'].map(toCount),
  ]);
  const metadata = await rereadParquet(parameters, 'SELECT num_rows FROM', 'ParquetMetadata');
  expect(metadata).toEqual([{ num_rows: '0' }]);
});

function toCount(name: string): [name: string, type: string] {
  return [name, 'Int64'];
}

test('a cost that a column of Parquet has no room for is refused, not rounded', async () => {
  const project = client.newProject();
  await project.setPrices({ m: { ...price, prompt_token_cost: 1e-30 } });
  await project.sendCompleteCalls({ id: 'a', startedAt: window.start, usage: { m: usage } });
  const answer = await client.service.send(toPath({ project: project.id, format: 'parquet' }));
  expect(answer.status).toBe(422);
  expect(answer.text).toContain('csv and jsonl have all digits');
});

const hostileNames = [
  ' spaces ',
  '+1',
  '-1',
  '=HYPERLINK("http://a.test","x")',
  '@sum',
  '\\N',
  '\\"',
  'a,b;c\td',
  'line\r\nbreak\n"quote"',
  'ünïcode 🦄',
];

test.each(['csv', 'jsonl', 'focus'])('names arrive as they are in %s', async (format) => {
  const project = client.newProject();
  const calls = hostileNames.map((name, index) =>
    project.completeCall(
      { id: `c${index}`, startedAt: window.start, usage: { [name]: usage } },
      { op_name: `op ${name}` },
    ),
  );
  const { status } = await client.service.send(`/v2/${project.id}/calls/complete`, {
    body: { batch: calls },
  });
  expect(status).toBe(200);
  const { text } = await download({ project: project.id, format, group_by: 'op_name' });
  const [model, name] = format === 'focus' ? ['SkuId', 'x_OpName'] : ['model', 'op_name'];
  const rows = await reread<object>(text, format, `${model} AS model, ${name} AS op_name`);
  expect(rows).toEqual(
    hostileNames.toSorted().map((each) => ({ model: each, op_name: `op ${each}` })),
  );
});

const words = /^.+$/;
const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const number = /^-?\d+(\.\d+)?$/;
/**
 * The mandatory columns of FOCUS 1.2 with what a usage charge may have in them: "Feature level", "Allows nulls", data type
 * and allowed values of each column of https://focus.finops.org/focus-specification/v1-2/#columns. The charge class alone is
 * null, since only corrections have one.
 */
const mandatoryColumns: Readonly<Record<string, RegExp | null>> = {
  ...{ BilledCost: number, BillingAccountId: words, BillingAccountName: words },
  ...{ BillingCurrency: /^USD$/, BillingPeriodEnd: date, BillingPeriodStart: date },
  ...{ ChargeCategory: /^Usage$/, ChargeClass: null, ChargeDescription: words },
  ...{ ChargePeriodEnd: date, ChargePeriodStart: date, ContractedCost: number },
  ...{ EffectiveCost: number, InvoiceIssuerName: words, ListCost: number },
  ...{ PricingQuantity: number, PricingUnit: /^Tokens$/, ProviderName: words },
  ...{ PublisherName: words, ServiceCategory: /^AI and Machine Learning$/, ServiceName: words },
};

/** The others of the specification that a file has; the values are those that it allows. */
const otherColumns: Readonly<Record<string, RegExp>> = {
  ...{ ChargeFrequency: /^Usage-Based$/, ConsumedQuantity: number, ConsumedUnit: /^Tokens$/ },
  ...{ PricingCategory: /^Standard$/, ServiceSubcategory: /^Generative AI$/, SkuId: words },
  ...{ SubAccountId: words, SubAccountName: words },
};

test('a file of FOCUS has the columns of the specification, and no null that it forbids', async () => {
  const project = client.newProject();
  await project.setPrices({
    m: { ...price, provider_id: 'a provider' },
    free: { ...price, prompt_token_cost: 0, completion_token_cost: 0 },
  });
  await project.sendCompleteCalls({
    id: 'a',
    startedAt: window.start,
    usage: { m: usage, n: usage, free: usage },
  });
  const { text: file, headers } = await download({ project: project.id, format: 'focus' });
  const names = (file.split('\r\n')[0] ?? '').replaceAll('"', '').split(',');
  const columns = { ...mandatoryColumns, ...otherColumns };
  expect(names.filter((name) => !name.startsWith('x_')).sort()).toEqual(
    Object.keys(columns).sort(),
  );
  expect(names.filter((name) => !/^(x_)?[A-Z][A-Za-z]+$/.test(name))).toEqual([]);
  const types = names.map((name) => `${name} Nullable(String)`).join();
  const rows = await client.clickhouse.query<Record<string, string | null>>(
    `SELECT * FROM format(CSVWithNames, '${types}', '${file}')`,
  );
  expect(rows).toHaveLength(3);
  for (const [name, pattern] of Object.entries(columns)) {
    for (const row of rows) {
      if (pattern === null) expect(row[name], name).toBeNull();
      else expect(row[name], name).toMatch(pattern);
    }
  }
  const bySku = new Map(rows.map((row) => [row['SkuId'], row]));
  const flags = { x_IsUnpriced: 'false', x_IsLowerBound: 'false' };
  expect(bySku.get('m')).toMatchObject({
    BilledCost: '0.02',
    ProviderName: 'a provider',
    ...flags,
  });
  expect(bySku.get('free')).toMatchObject({ BilledCost: '0', x_UnpricedTokens: '0', ...flags });
  expect(bySku.get('n')).toMatchObject({
    ...{ BilledCost: '0', ListCost: '0', ContractedCost: '0', EffectiveCost: '0' },
    ...{ x_IsUnpriced: 'true', x_IsLowerBound: 'true', x_UnpricedTokens: '15' },
  });
  expect(headers.get('content-disposition')).toBe('attachment; filename=focus-2026-03-01.csv');
});

test('buckets and months are those of the time zone, also where a day has 25 hours', async () => {
  const project = client.newProject();
  await project.sendCompleteCalls(
    { id: 'a', trace: 'a', startedAt: '2026-10-25T12:00:00Z', usage: { m: usage } },
    { id: 'b', trace: 'b', startedAt: '2026-10-31T23:30:00Z', usage: { m: usage } },
  );
  const parameters = {
    ...{ project: project.id, timezone: 'Europe/Berlin' },
    ...{ start: '2026-10-25T00:00:00+02:00', end: '2026-11-02T00:00:00+01:00' },
  };
  const lines = (await download({ ...parameters, format: 'jsonl' })).text.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { bucket_start: '2026-10-25T00:00:00+02:00', bucket_end: '2026-10-26T00:00:00+01:00' },
    { bucket_start: '2026-11-01T00:00:00+01:00', bucket_end: '2026-11-02T00:00:00+01:00' },
  ]);
  const { text } = await download({ ...parameters, format: 'focus' });
  const columns = [
    'BillingPeriodStart',
    'BillingPeriodEnd',
    'ChargePeriodStart',
    'ChargePeriodEnd',
  ];
  const times = columns.map((name) => `toString(${name}) AS ${name}`);
  const rows = await reread<Record<string, string>>(text, 'focus', times.join());
  const toTimes = (row: Record<string, string>) =>
    columns.map((name) => new Date(`${row[name] ?? ''}Z`).toISOString());
  expect(rows.map(toTimes)).toEqual([
    [
      ...['2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
      ...['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    ],
    [
      ...['2026-10-31T23:00:00.000Z', '2026-11-30T23:00:00.000Z'],
      ...['2026-10-31T23:00:00.000Z', '2026-11-01T23:00:00.000Z'],
    ],
  ]);
});

test('hours that a time zone skips or repeats are buckets of their own', async () => {
  const project = client.newProject();
  await project.sendCompleteCalls(
    ...['2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z'].map((startedAt, index) => ({
      ...{ id: `a${index}`, trace: `a${index}`, startedAt, usage: { m: usage } },
    })),
    ...['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map((startedAt, index) => ({
      ...{ id: `b${index}`, trace: `b${index}`, startedAt, usage: { m: usage } },
    })),
  );
  const listHours = async (date: string) => {
    const window = { start: `${date}T00:00:00Z`, end: `${date}T03:00:00Z` };
    const hours = { bucket: 'hour', timezone: 'Europe/Berlin', format: 'jsonl' };
    const { text } = await download({ project: project.id, ...hours, ...window });
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { bucket_start: string; bucket_end: string })
      .map(({ bucket_start, bucket_end }) => `${bucket_start} ${bucket_end}`);
  };
  expect(await listHours('2026-03-29')).toEqual([
    '2026-03-29T01:00:00+01:00 2026-03-29T03:00:00+02:00',
    '2026-03-29T03:00:00+02:00 2026-03-29T04:00:00+02:00',
  ]);
  expect(await listHours('2026-10-25')).toEqual([
    '2026-10-25T02:00:00+02:00 2026-10-25T02:00:00+01:00',
    '2026-10-25T02:00:00+01:00 2026-10-25T03:00:00+01:00',
  ]);
});

test.each(['csv', 'focus'])('a file of %s without usage has the header alone', async (format) => {
  const project = client.newProject();
  const before = (await download({ project: project.id, format })).text;
  expect(before).toMatch(/^"[^\r\n]+"\r\n$/);
  await project.sendCompleteCalls({ id: 'a', startedAt: window.start, usage: { m: usage } });
  const after = (await download({ project: project.id, format })).text;
  expect(after.startsWith(before)).toBe(true);
  // The end of the window is exclusive.
  const { text } = await download({ project: project.id, format, end: window.start });
  expect(text).toBe(before);
  expect((await download({ project: 'nobody/*', format })).text).toBe(before);
});

test.each(['csv', 'jsonl', 'parquet'])(
  'hostile names of projects are matched as they are, and written as they are in %s',
  async (format) => {
    const entity = `hostile_${format}`;
    const names = [',"x"\r\n', "'; DROP TABLE calls; --", '=%_{a: String}\\ ünï 🦄'];
    const ids = names.map((name) => `${entity}/${name}`);
    // A pattern of LIKE would match it.
    for (const id of [...ids, `hostile-${format}/x`]) {
      const project = toProject(client.service, id);
      const shape = { id: 'a', startedAt: window.start, usage: { m: usage } };
      await project.upsertBatch(project.startItem(shape), project.endItem(shape));
    }
    const list = async (project: string): Promise<string[]> => {
      const parameters = { project, format };
      const rows =
        format === 'parquet'
          ? await rereadParquet<{ project_id: string }>(parameters, 'SELECT project_id FROM')
          : await reread<{ project_id: string }>(
              (await download(parameters)).text,
              format,
              'project_id',
            );
      return rows.map(({ project_id }) => project_id);
    };
    for (const id of ids) expect(await list(id)).toEqual([id]);
    expect(await list(`${entity}/*`)).toEqual([...ids].sort());
  },
);

test('patterns match only projects that the key may read, and a project that it may not is refused', async () => {
  const ids = ['scopes/a', 'scopes/b', 'scopes/c', 'scopes/d', 'other/a'];
  for (const id of ids) {
    await toProject(client.service, id).sendCompleteCalls({
      ...{ id: 'a', startedAt: window.start },
      usage: { m: usage },
    });
  }
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-export-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'keys.json');
  const toKey = (name: string, rights: readonly string[]) => ({
    ...{ name, rights, projects: ['scopes/a', 'other/*'] },
    sha256: createHash('sha256').update(name).digest('hex'),
  });
  await writeFile(
    file,
    JSON.stringify({ keys: [toKey('reader', ['read']), toKey('writer', ['write'])] }),
  );
  const service = await openService({ ...client.clickhouse.environment, API_KEYS_FILE: file });
  onTestFinished(() => service.close());
  await service.ready;
  const send = (project: string | readonly string[], key = 'reader') =>
    service.send(toPath({ project, format: 'jsonl' }), { key });
  const list = async (project: string | readonly string[]) =>
    (await send(project)).text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { project_id: string }).project_id);
  expect(await list('*')).toEqual(['other/a', 'scopes/a']);
  expect(await list('scopes/*')).toEqual(['scopes/a']);
  expect(await list(['other/*', 'scopes/a', 'scopes/a'])).toEqual(['other/a', 'scopes/a']);
  expect(await list('none/*')).toEqual([]);
  // Those that it may not read are not known to it.
  const unknownOf = async (project: string | readonly string[]) =>
    (await send(project)).headers.get('x-unknown-projects');
  expect(await unknownOf('*')).toBeNull();
  expect(await unknownOf(['scopes/a', 'other/*'])).toBeNull();
  expect(await unknownOf('none/*')).toBe('1');
  expect(await unknownOf('other/none')).toBe('1');
  const several = ['scopes/a', 'other/none', 'other/none', 'none/*', 'none/*', 'scopes/*'];
  expect(await unknownOf(several)).toBe('2');
  expect((await send('scopes/b')).status).toBe(403);
  expect((await send('*', 'writer')).status).toBe(403);
});

test('what cannot be exported is refused before the file begins', async () => {
  const refuse = async (parameters: Parameters) => {
    const answer = await client.service.send(toPath({ project: 'team/none', ...parameters }));
    expect(answer.status, answer.text).toBe(422);
    expect(answer.headers.get('content-disposition')).toBeNull();
    const { detail } = answer.json() as { detail: { loc: unknown[]; msg: string }[] };
    return detail.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`);
  };
  expect(await refuse({ format: 'xlsx' })).toEqual([
    "query.format: Input should be 'csv', 'jsonl', 'parquet' or 'focus'",
  ]);
  expect(await refuse({ project: 'team/a*' })).toEqual([
    'query.project.0: Value error, project should be entity/project, entity/* or *',
  ]);
  expect(await refuse({ format: 'focus', bucket: '100000' })).toEqual([
    'query.bucket: Value error, bucket should divide a day, since a charge of FOCUS is in one month',
  ]);
  for (const bucket of ['week', '', '1.5', '-1h', ['day', 'hour']]) {
    expect(await refuse({ bucket })).toEqual([
      'query.bucket: Input should be day, hour or a whole number of seconds',
    ]);
  }
  for (const bucket of ['-1', '0']) {
    expect(await refuse({ bucket })).toEqual([
      'query.bucket: Input should be greater than or equal to 1',
    ]);
  }
  expect(await refuse({ bucket: '99999999999' })).toEqual([
    'query.bucket: Input should be less than or equal to 31622400',
  ]);
  const invalidTime =
    'Input should be a valid date or a valid datetime, in ISO 8601 with or without Z or an offset, ' +
    'an existing day of the years 1900 to 2299';
  // A + that is not escaped arrives as a space.
  for (const time of ['2026-01-01T00:00:00 02:00', '2026-01-01T00:00 0200']) {
    expect(await refuse({ start: time })).toEqual([
      `query.start: ${invalidTime}; the + of an offset should be written %2B in a URL, where + is a space`,
    ]);
  }
  expect(await refuse({ start: '2026-01-41' })).toEqual([`query.start: ${invalidTime}`]);
  expect(await refuse({ start: ['2026-03-01', '2026-03-02'] })).toEqual([
    'query.start: Input should be a valid datetime',
  ]);
  expect(await refuse({ group_by: 'op_name,op_name' })).toEqual([
    'query.group_by: Value error, group_by should name each group once',
  ]);
  expect(await refuse({ group_by: 'op_name,wb_user_id,thread_id' })).toEqual([
    'query.group_by: List should have at most 2 items after validation, not 3',
  ]);
  expect(await refuse({ compress: 'gzip' })).toEqual([
    'query.compress: Extra inputs are not permitted',
  ]);
  expect(await refuse({ bucket: '1' })).toEqual([
    expect.stringMatching(
      /^query\.bucket: 172\d{3} buckets are more than 10000; choose longer buckets or a smaller window$/,
    ),
  ]);
});

test('more projects than EXPORT_MAX_PROJECTS are refused', async () => {
  for (const name of ['a', 'b', 'c', 'd'].slice(0, maxProjects + 1)) {
    await toProject(client.service, `many/${name}`).sendCompleteCalls({
      ...{ id: 'a', startedAt: window.start },
      usage: { m: usage },
    });
  }
  const answer = await client.service.send(toPath({ project: 'many/*' }));
  expect(answer.status).toBe(422);
  expect(answer.text).toContain(`More than EXPORT_MAX_PROJECTS, ${maxProjects}, projects match`);
});

test('a file that cannot be finished is cut off, so that it is not taken for a whole one', async () => {
  const small = toProject(client.service, 'cut/a');
  const large = toProject(client.service, 'cut/b');
  const toCall = (_: unknown, index: number) => ({
    ...{ id: `c${index}`, startedAt: window.start },
    usage: { m: usage },
  });
  await small.sendCompleteCalls(toCall(undefined, 0));
  await large.sendCompleteCalls(...Array.from({ length: 21 }, toCall));
  await expect(client.service.send(toPath({ project: 'cut/*' }))).rejects.toThrow('terminated');
  // Alone, it fails before the first byte.
  const answer = await client.service.send(toPath({ project: 'cut/b' }));
  expect(answer.status).toBe(422);
});
