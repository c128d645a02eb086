import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { endRow, startRow, completeRow } from '../../support/rows/part-rows.ts';
import { names as allNames, toUsageFields, type UsageFields } from './usage-fields-reference.ts';

/** Counters of an entry, by the field that docs/call-parts.md gives their position. */
type Counters = Readonly<Record<string, number>>;

const ownNames = allNames.filter(({ rank }) => rank === 0);

/** A summary as JSON text, and the usage by model that ClickHouse extracts from it. */
type Case = readonly [name: string, summary: string, Readonly<Record<string, Counters>>];

/** A summary with this entry, as JSON text, for the model `m`. */
const entry = (text: string): string => `{"usage":{"m":${text}}}`;
/** A summary with this prompt counter, as JSON text, and a valid completion counter for the model `m`. */
const counter = (text: string): string => entry(`{"prompt_tokens":${text},"output_tokens":7}`);
/** The usage if the prompt counter is not readable. */
const withoutPrompt = { m: { output_tokens: 7 } };
/** The usage if the prompt counter is readable. */
const withPrompt = (prompt_tokens: number) => ({ m: { prompt_tokens, output_tokens: 7 } });

const largest = 2 ** 53 - 1;
/** The text of the largest counter, which TypeScript would round. */
const largestText = '9007199254740991';

/** A value at the path of a field, in an entry without other fields. */
const atPath = (path: string, value: number): object =>
  path
    .replace('*', 'ephemeral_5m_input_tokens')
    .split('.')
    .reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;

const counters: Case[] = [
  ...ownNames
    .filter(({ path }) => path !== 'cache_creation.ephemeral_1h_input_tokens')
    .map(({ path }): Case => [path, entry(JSON.stringify(atPath(path, 3))), { m: { [path]: 3 } }]),
  [
    'the one-hour part of cache_creation, which its sum contains',
    entry('{"cache_creation":{"ephemeral_1h_input_tokens":3,"ephemeral_5m_input_tokens":40}}'),
    { m: { 'cache_creation.ephemeral_1h_input_tokens': 3, 'cache_creation.*': 3 + 40 } },
  ],
  [
    'fields of cache_creation that are not known yet',
    entry('{"cache_creation":{"ephemeral_24h_input_tokens":3,"x":40,"y":null}}'),
    { m: { 'cache_creation.*': 3 + 40 } },
  ],
  [
    'all names of prompt and completion, each by itself',
    entry('{"prompt_tokens":3,"input_tokens":40,"completion_tokens":5,"output_tokens":60}'),
    { m: { prompt_tokens: 3, input_tokens: 40, completion_tokens: 5, output_tokens: 60 } },
  ],
  [
    'a further name only where no field of the counter is above 0',
    entry(
      '{"prompt_tokens":0,"input_tokens":4,"promptTokens":9,"outputTokens":5,"output_tokens":0}',
    ),
    { m: { input_tokens: 4, completion_tokens: 5 } },
  ],
  [
    'the first further name above 0',
    entry('{"tokens":3,"inputTokens":5,"promptTokens":0,"PromptTokens":6}'),
    { m: { prompt_tokens: 5 } },
  ],
  [
    'counters next to fields of other types',
    entry(
      '{"a":[1,{"prompt_tokens":99}],"prompt_tokens":1,"b":{"prompt_tokens":99},"c":"prompt_tokens","Prompt_tokens":99}',
    ),
    { m: { prompt_tokens: 1 } },
  ],
];

const numbers: Case[] = [
  ['0', counter('0'), withoutPrompt],
  ['1', counter('1'), withPrompt(1)],
  ['1.0', counter('1.0'), withPrompt(1)],
  ['1e3', counter('1e3'), withPrompt(1_000)],
  ['1.5e1', counter('1.5e1'), withPrompt(15)],
  ['2^53 - 1', counter(largestText), withPrompt(largest)],
  ['2^53 - 1 as a fraction', counter(`${largestText}.0`), withPrompt(largest)],
  ['2^53', counter('9007199254740992'), withoutPrompt],
  ['2^53 as a fraction', counter('9007199254740992.0'), withoutPrompt],
  ['2^63', counter('9223372036854775808'), withoutPrompt],
  ['2^64 - 1', counter('18446744073709551615'), withoutPrompt],
  ['2^64 as a fraction', counter('18446744073709551616.0'), withoutPrompt],
  ['-2^63 - 1 as a fraction', counter('-9223372036854775809.0'), withoutPrompt],
  ['-9.9e18', counter('-9.9e18'), withoutPrompt],
  ['1e19', counter('1e19'), withoutPrompt],
  ['1e20', counter('1e20'), withoutPrompt],
  ['-1e20', counter('-1e20'), withoutPrompt],
  ['1e21', counter('1e21'), withoutPrompt],
  ['10^30', counter('1e30'), withoutPrompt],
  ['1e308', counter('1e308'), withoutPrompt],
  ['negative', counter('-1'), withoutPrompt],
  ['-0', counter('-0'), withoutPrompt],
  ['-0.0', counter('-0.0'), withoutPrompt],
  ['fractional', counter('1.5'), withoutPrompt],
  ['nearly 0', counter('5e-324'), withoutPrompt],
  ['text of digits', counter('"5"'), withPrompt(5)],
  ['text of digits that begin with 0', counter('"007"'), withPrompt(7)],
  ['text of 2^53 - 1', counter(`"${largestText}"`), withPrompt(largest)],
  ['text of escaped digits', counter('"\\u0031\\u0032"'), withPrompt(12)],
  ...[
    '',
    ' ',
    '+12',
    '-12',
    ' 12',
    '12 ',
    '1e3',
    '12.0',
    '12x',
    '0x10',
    '1_000',
    '1,000',
    '\u0661',
    '１',
  ].map((text): Case => [
    `text ${JSON.stringify(text)}`,
    counter(JSON.stringify(text)),
    withoutPrompt,
  ]),
  ['text of 2^53', counter('"9007199254740992"'), withoutPrompt],
  ['text of 2^64 + 1', counter('"18446744073709551617"'), withoutPrompt],
  ['text with NUL', counter('"12\\u0000"'), withoutPrompt],
  ['null', counter('null'), withoutPrompt],
  ['true', counter('true'), withoutPrompt],
  ['false', counter('false'), withoutPrompt],
  ['a list', counter('[5]'), withoutPrompt],
  ['an object', counter('{"value":5}'), withoutPrompt],
];

const others: Case[] = [
  // A number with many digits next to a counter does not change it.
  [
    'a fraction of 19 digits',
    entry('{"latency":0.0012345678901234567,"output_tokens":7}'),
    withoutPrompt,
  ],
  [
    'a fraction of 22 digits',
    entry('{"latency":0.000001234567890123456,"output_tokens":7}'),
    withoutPrompt,
  ],
  ['a fraction near 1', entry('{"latency":0.9999999999999999,"output_tokens":7}'), withoutPrompt],
  ['an integer of 19 digits', entry('{"id":1234567890123456789,"output_tokens":7}'), withoutPrompt],
  [
    'a double of 21 digits',
    entry('{"id":123456789012345678901.0,"output_tokens":7}'),
    withoutPrompt,
  ],
  [
    'digits in a string',
    entry('{"id":"12345678901234567890123","output_tokens":7}'),
    withoutPrompt,
  ],
  [
    'digits after a control character',
    entry('{"id":"\\u00001234567890123456789","output_tokens":7}'),
    withoutPrompt,
  ],
  [
    'digits after a comma in a string',
    entry('{"id":"a,1234567890123456789\\"","output_tokens":7}'),
    withoutPrompt,
  ],
  ['digits as a key', entry('{"12345678901234567890123":1,"output_tokens":7}'), withoutPrompt],
  ['digits in a nested array', entry('{"a":[[1e20]],"output_tokens":7}'), withoutPrompt],
];

const details: Case[] = [
  ...['null', '5', '"5"', '[5]', '[{"cached_tokens":5}]', '{}', '{"cached_tokens":-5}'].map(
    (text): Case => [
      `prompt_tokens_details ${text}`,
      entry(`{"output_tokens":7,"prompt_tokens_details":${text}}`),
      withoutPrompt,
    ],
  ),
  [
    'cached_tokens_details with more fields than audio_tokens',
    entry(
      '{"prompt_tokens_details":{"cached_tokens_details":{"text_tokens":1,"audio_tokens":"5","image_tokens":2},"cached_tokens":8}}',
    ),
    {
      m: {
        'prompt_tokens_details.cached_tokens': 8,
        'prompt_tokens_details.cached_tokens_details.audio_tokens': 5,
      },
    },
  ],
  [
    'cached_tokens_details with a fraction',
    entry(
      '{"output_tokens":7,"prompt_tokens_details":{"cached_tokens_details":{"audio_tokens":5.5}}}',
    ),
    withoutPrompt,
  ],
  [
    'modalities in either order of their fields, in any notation',
    entry(
      '{"output_tokens":7,"promptTokensDetails": [ {"modality":"TEXT","tokenCount":1}, {"tokenCount": "4", "modality":"AUDIO"}, {"modality":"AUDIO","tokenCount":5e0} ]}',
    ),
    { m: { output_tokens: 7, 'prompt_tokens_details.audio_tokens': 4 + 5 } },
  ],
  [
    'a list of lists',
    entry('{"output_tokens":7,"promptTokensDetails":[["AUDIO",5]]}'),
    withoutPrompt,
  ],
];

const entries: Case[] = [
  ...[
    'null',
    '5',
    '-1',
    '"5"',
    'true',
    '[]',
    '[{"prompt_tokens":5}]',
    '"{\\"prompt_tokens\\":5}"',
    '{}',
  ].map((text): Case => [
    `an entry that is ${text}: skipped`,
    `{"usage":{"m":${text},"n":{"requests":1}}}`,
    { n: { requests: 1 } },
  ]),
  ...['null', '5', '"5"', 'true', '[]', '[{"m":{"prompt_tokens":5}}]', '{}'].map((text): Case => [
    `usage that is ${text}: none`,
    `{"usage":${text}}`,
    {},
  ]),
  ['no usage', '{}', {}],
  ['a summary that is a list', '[{"usage":{"m":{"requests":1}}}]', {}],
  ['a summary that is a string', '"usage"', {}],
  ['a summary that is null', 'null', {}],
  ['usage at a deeper level', '{"a":{"usage":{"m":{"requests":1}}}}', {}],
  ['Usage with a capital', '{"Usage":{"m":{"requests":1}}}', {}],
  [
    'usage between other fields, with white space',
    ' { "a" : [ 1 ] , "usage" : { "m" : \n { "requests" : 1 } } , "z" : null } ',
    { m: { requests: 1 } },
  ],
  ['an entry of zeros: omitted', entry('{"requests":0,"prompt_tokens":0}'), {}],
  ['an entry without a readable counter: omitted', entry('{"requests":-1}'), {}],
  ['an entry of which only the tier is known: omitted', entry('{"service_tier":"flex"}'), {}],
  [
    'models that are repeated: one of them',
    '{"usage":{"m":{"requests":1},"m":{"requests":1}}}',
    { m: { requests: 1 } },
  ],
  [
    'many models',
    JSON.stringify({
      usage: Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [`model-${index}`, { requests: 1 + index }]),
      ),
    }),
    Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`model-${index}`, { requests: 1 + index }]),
    ),
  ],
];

const modelNames = [
  ...['', ' ', '__proto__', 'constructor', '0', 'M', 'openai/m', "it's", '"', '\\', '/', '{', '\0'],
  ...[
    'a\tb\nc',
    '\u{1f600}',
    'é',
    'e\u0301',
    '\u2028',
    '\ufeff',
    'мо\u0434ель',
    '模型',
    'x'.repeat(10_000),
  ],
];

const names: Case[] = modelNames.flatMap((name): Case[] => {
  const found = new Map([[name, { requests: 1 }]]);
  const usage = JSON.stringify({ usage: { NAME: { requests: 1 } } });
  const label = JSON.stringify(name).slice(0, 20);
  return [
    [label, usage.replace('"NAME"', () => JSON.stringify(name)), Object.fromEntries(found)],
    [
      `${label}, escaped`,
      usage.replace('"NAME"', () => escapeAll(name)),
      Object.fromEntries(found),
    ],
  ];
});

/** JSON text of a string in which every UTF-16 code unit is escaped as `\uXXXX`. */
function escapeAll(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) =>
    text.charCodeAt(index).toString(16).padStart(4, '0'),
  );
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

const groups = {
  'has the fields of an entry': counters,
  'accepts only integers from 0 to 2^53 - 1': numbers,
  'is not affected by other fields': others,
  'reads objects and lists in an entry': details,
  'skips entries that are not usage': entries,
  'keeps the name of a model': names,
};

const opened = clickhouseFixture();
/** The usage extracted for each case, by group and name. */
const found = new Map<string, UsageFields[]>();

beforeAll(async () => {
  const rows = Object.entries(groups).flatMap(([group, cases]) =>
    cases.map(([name, summary_dump]) =>
      completeRow('team/usage', { id: `${group} ${name}` }, { summary_dump }),
    ),
  );
  await opened.insert('call_parts', rows);
  for (const { id, usage } of await readFields('team/usage')) found.set(id, usage);
});

interface StoredFields {
  readonly id: string;
  readonly usage: UsageFields[];
}

async function readFields(project: string): Promise<StoredFields[]> {
  return await opened.query<StoredFields>(
    `SELECT id, usage_fields AS usage FROM call_parts WHERE project_id = {project: String}
     SETTINGS output_format_json_quote_64bit_integers = 0`,
    { project },
  );
}

describe.each(Object.entries(groups))('call_parts.usage_fields %s', (group, cases) => {
  test.each(cases)('%s', (name, _, expected) => {
    const rows = Object.entries(expected).map(([model, values]) => {
      const isUnknown = Object.keys(values).every((path) => path === 'requests');
      const all = { ...values, ...(isUnknown && { unknown: values['requests'] ?? 0 }) };
      return { model, counters: toArray(all) };
    });
    const usage = found
      .get(`${group} ${name}`)
      ?.map(({ model, counters }) => ({ model, counters }));
    expect(usage).toHaveLength(rows.length);
    expect(usage).toEqual(expect.arrayContaining(rows));
  });
});

function toArray(values: Counters): number[] {
  const positions = new Map([
    ...ownNames.map(({ path, position }) => [path, position] as const),
    ['unknown', 26] as const,
  ]);
  const entries = Object.entries(values).map(
    ([path, value]) => [positions.get(path) ?? NaN, value] as const,
  );
  const last = Math.max(...entries.map(([position]) => position));
  return Array.from({ length: last }, (_, index) => new Map(entries).get(index + 1) ?? 0);
}

test('usage is extracted from ends, not from starts', async () => {
  const shape = { id: 'end', usage: { m: { prompt_tokens: 3, output_tokens: 4 } } };
  await opened.insert('call_parts', [startRow('team/end', shape), endRow('team/end', shape)]);
  const rows = await opened.query(
    `SELECT kind, usage_fields.counters AS counters
    FROM call_parts WHERE project_id = 'team/end' ORDER BY kind`,
  );
  expect(rows).toEqual([
    { kind: 'start', counters: [] },
    { kind: 'end', counters: [['0', '3', '0', '0', '0', '4']] },
  ]);
});

test('usage in the summary of a start is not counted', async () => {
  const shape = { id: 'start' };
  const summary_dump = entry('{"prompt_tokens":3}');
  await opened.insert('call_parts', [startRow('team/start', shape, { summary_dump })]);
  const rows = await opened.query(
    `SELECT length(usage) AS models FROM merged_calls WHERE project_id = 'team/start'`,
  );
  expect(rows).toEqual([{ models: '0' }]);
});

test('models are sorted, whatever their order in the summary', async () => {
  const models = ['b', 'a', 'c'].map((model) => [model, { requests: 1 }] as const);
  const orders = [models, models.toReversed()].map((order) => Object.fromEntries(order));
  await opened.insert(
    'call_parts',
    orders.map((usage, index) => completeRow('team/order', { id: `order-${index}`, usage })),
  );
  const rows = await opened.query(
    `SELECT usage_fields.model AS models FROM call_parts WHERE project_id = 'team/order'`,
  );
  expect(rows).toEqual(orders.map(() => ({ models: ['a', 'b', 'c'] })));
});

describe('facts and the service tier', () => {
  test.each([
    ['{"requests":1}', '', 0, ''],
    ['{"requests":1}', 'Batch', 0, 'batch'],
    ['{"requests":1,"service_tier":"Flex"}', 'batch', 2, 'flex'],
    ['{"requests":1,"service_tier":null}', 'batch', 2, 'batch'],
    ['{"requests":1,"cache_creation":null}', '', 1, ''],
    ['{"requests":1,"cache_creation":{},"service_tier":"standard"}', '', 1 + 2, 'standard'],
    ['{"requests":1,"thoughts_tokens":0}', '', 4, ''],
    ['{"requests":1,"thoughtsTokenCount":0}', '', 4, ''],
    ['{"requests":1,"cacheReadInputTokens":0}', '', 8, ''],
    [`{"requests":1,"service_tier":"${'x'.repeat(40)}"}`, '', 2, 'x'.repeat(32)],
  ])('of %s, with the output tier %j', async (text, tier, facts, service_tier) => {
    const project = `team/facts-${text}-${tier}`;
    const columns = { summary_dump: entry(text), output_service_tier: tier };
    await opened.insert('call_parts', [completeRow(project, { id: 'a' }, columns)]);
    const [row] = await readFields(project);
    expect(row?.usage).toMatchObject([{ facts, service_tier }]);
  });
});

/** Values of a field, most of them counters. */
const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 9 }) },
  fc.constantFrom(largest, largest + 1, 2.5, -1, '7', '012', '', '+1', 'x', null, true, 1e21),
);

const fields = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...allNames), value), {
    maxLength: 8,
    selector: ([{ path }]) => path.split(/[.[]/)[0],
  })
  .map(
    (pairs) =>
      Object.assign({}, ...pairs.map(([{ path }, each]) => toNested(path, each))) as object,
  );

/** A value at a path; an element of a list has exactly two fields, as those of providers have. */
function toNested(path: string, inner: unknown): object {
  const [first = '', ...others] = path.replace('*', 'x').split('.');
  const value = others.length === 0 ? inner : toNested(others.join('.'), inner);
  const [, list, key, wanted] = /^(\w+)\[(\w+)=(\w+)\]$/.exec(first) ?? [];
  if (list === undefined || key === undefined) return { [first]: value };
  return {
    [list]: [
      { [key]: 'TEXT', ...toNested(others.join('.'), 3) },
      { [key]: wanted, ...(value as object) },
    ],
  };
}

const summary = fc.record({
  usage: fc.dictionary(
    fc.constantFrom('a', 'gpt-4o', 'voyage-3', 'x/jina-v2', 'text-embedding-3', 'ё'),
    fc.oneof(
      { weight: 9, arbitrary: fields },
      fc.constantFrom<unknown>(null, 5, 'text', [], [1, 2], {}),
    ),
    { maxKeys: 3 },
  ),
});

test('usage_fields is what a plain implementation reads', { timeout: 120_000 }, async () => {
  const summaries = fc.sample(summary, { numRuns: 5_000, seed: 8 });
  await opened.insert(
    'call_parts',
    summaries.map((each, index) =>
      completeRow('team/fuzz', { id: String(index) }, { summary_dump: JSON.stringify(each) }),
    ),
  );
  const stored = new Map((await readFields('team/fuzz')).map(({ id, usage }) => [id, usage]));
  const wrong = summaries.filter(
    (each, index) =>
      JSON.stringify(stored.get(String(index))) !== JSON.stringify(toUsageFields(each)),
  );
  expect(wrong.slice(0, 3).map((each) => [JSON.stringify(each), toUsageFields(each)])).toEqual([]);
  expect([...stored.values()].filter((usage) => usage.length > 0).length).toBeGreaterThan(2_000);
});

test('an entry of 100,000 fields and one of 10,000 models are read in linear time', async () => {
  const numbered = (length: number, value: unknown): object =>
    Object.fromEntries(Array.from({ length }, (_, index) => [`n${index}`, value]));
  const rows = [
    completeRow('team/large', {
      id: 'fields',
      usage: { m: { requests: 5, ...numbered(100_000, 1) } },
    }),
    completeRow('team/large', { id: 'models', usage: numbered(10_000, { requests: 5 }) }),
  ];
  await opened.insert('call_parts', rows);
  const counts = (await readFields('team/large')).map(({ id, usage }) => [id, usage.length]);
  expect(Object.fromEntries(counts)).toEqual({ fields: 1, models: 10_000 });
});

test('a name that is repeated 20,000 times is read in linear time', async () => {
  const summary_dump = entry(`{${'"requests":1,'.repeat(20_000)}"output_tokens":7}`);
  await opened.insert('call_parts', [completeRow('team/repeated', { id: 'a' }, { summary_dump })]);
  const [row] = await readFields('team/repeated');
  expect(row?.usage).toHaveLength(1);
});
