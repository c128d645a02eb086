import { beforeAll, describe, expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { endRow, startRow, completeRow } from '../../support/part-rows.ts';

/** Counters of `call_parts.usage`; the default is 0. */
interface Counters {
  readonly requests?: number;
  readonly prompt?: number;
  readonly completion?: number;
  readonly total?: number;
  readonly cache_read?: number;
  readonly cache_creation?: number;
}

/** A summary as JSON text, and the usage by model that ClickHouse extracts from it. */
type Case = readonly [name: string, summary: string, Readonly<Record<string, Counters>>];

/** A summary with this entry, as JSON text, for the model `m`. */
const entry = (text: string): string => `{"usage":{"m":${text}}}`;
/** A summary with this prompt counter, as JSON text, and a valid completion counter for the model `m`. */
const counter = (text: string): string => entry(`{"prompt_tokens":${text},"output_tokens":7}`);
/** The usage if the prompt counter is not a valid integer. */
const withoutPrompt = { m: { completion: 7, total: 7 } };
/** The usage if the prompt counter is valid. */
const withPrompt = (prompt: number) => ({ m: { prompt, completion: 7, total: prompt + 7 } });

const largest = 2 ** 53 - 1;

const counters: Case[] = [
  ['requests', entry('{"requests":3}'), { m: { requests: 3 } }],
  ['prompt_tokens', entry('{"prompt_tokens":3}'), { m: { prompt: 3, total: 3 } }],
  ['input_tokens', entry('{"input_tokens":3}'), { m: { prompt: 3, total: 3 } }],
  ['completion_tokens', entry('{"completion_tokens":3}'), { m: { completion: 3, total: 3 } }],
  ['output_tokens', entry('{"output_tokens":3}'), { m: { completion: 3, total: 3 } }],
  ['total_tokens', entry('{"total_tokens":3}'), { m: { total: 3 } }],
  ['cache_read_input_tokens', entry('{"cache_read_input_tokens":3}'), { m: { cache_read: 3 } }],
  [
    'cache_creation_input_tokens',
    entry('{"cache_creation_input_tokens":3}'),
    { m: { cache_creation: 3 } },
  ],
  [
    'prompt_tokens and input_tokens, added',
    entry('{"prompt_tokens":3,"input_tokens":40}'),
    { m: { prompt: 3 + 40, total: 3 + 40 } },
  ],
  [
    'completion_tokens and output_tokens, added',
    entry('{"completion_tokens":3,"output_tokens":40}'),
    { m: { completion: 3 + 40, total: 3 + 40 } },
  ],
  [
    'a total that differs from the sum',
    entry('{"prompt_tokens":3,"completion_tokens":40,"total_tokens":9}'),
    { m: { prompt: 3, completion: 40, total: 9 } },
  ],
  [
    'a total of 0 as the sum of all four',
    entry(
      '{"total_tokens":0,"prompt_tokens":1,"input_tokens":2,"completion_tokens":4,"output_tokens":8}',
    ),
    { m: { prompt: 1 + 2, completion: 4 + 8, total: 1 + 2 + 4 + 8 } },
  ],
  [
    'an invalid total as the sum',
    entry('{"total_tokens":-5,"prompt_tokens":1,"completion_tokens":2}'),
    { m: { prompt: 1, completion: 2, total: 1 + 2 } },
  ],
  [
    'counters next to fields of other types',
    entry(
      '{"a":[1,{"prompt_tokens":99}],"prompt_tokens":1,"b":{"prompt_tokens":99},"c":"prompt_tokens","Prompt_tokens":99}',
    ),
    { m: { prompt: 1, total: 1 } },
  ],
];

const numbers: Case[] = [
  ['0', counter('0'), withoutPrompt],
  ['1', counter('1'), withPrompt(1)],
  ['1.0', counter('1.0'), withPrompt(1)],
  ['1e3', counter('1e3'), withPrompt(1_000)],
  ['1.5e1', counter('1.5e1'), withPrompt(15)],
  ['2^53 - 1', counter('9007199254740991'), withPrompt(largest)],
  [
    '2^53 - 1 in both synonyms',
    entry(`{"prompt_tokens":${largest},"input_tokens":${largest}}`),
    { m: { prompt: 2 * largest, total: 2 * largest } },
  ],
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
  ['a string', counter('"5"'), withoutPrompt],
  ['an empty string', counter('""'), withoutPrompt],
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

const cache: Case[] = [
  [
    'cache_read from cached_tokens if the field is absent',
    entry('{"prompt_tokens_details":{"cached_tokens":5,"audio_tokens":9}}'),
    { m: { cache_read: 5 } },
  ],
  [
    'cache_read from cached_tokens if the field is null',
    entry('{"cache_read_input_tokens":null,"prompt_tokens_details":{"cached_tokens":5}}'),
    { m: { cache_read: 5 } },
  ],
  [
    'cache_read from the field if both are present',
    entry('{"prompt_tokens_details":{"cached_tokens":5},"cache_read_input_tokens":3}'),
    { m: { cache_read: 3 } },
  ],
  [
    'cache_read from the field if it is 0',
    entry(
      '{"output_tokens":7,"cache_read_input_tokens":0,"prompt_tokens_details":{"cached_tokens":5}}',
    ),
    withoutPrompt,
  ],
  ...[
    'null',
    '5',
    '"5"',
    '[5]',
    '[{"cached_tokens":5}]',
    '{}',
    '{"cached_tokens":"5"}',
    '{"cached_tokens":-5}',
  ].map((details): Case => [
    `nothing from prompt_tokens_details ${details}`,
    entry(`{"output_tokens":7,"prompt_tokens_details":${details}}`),
    withoutPrompt,
  ]),
  [
    'nothing from cached_tokens outside prompt_tokens_details',
    entry('{"output_tokens":7,"cached_tokens":5}'),
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
  ['an entry without a valid counter: omitted', entry('{"requests":-1}'), {}],
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
  'sums the fields of an entry': counters,
  'accepts only integers from 0 to 2^53 - 1': numbers,
  'is not affected by other fields': others,
  'takes cached tokens from either field': cache,
  'skips entries that are not usage': entries,
  'keeps the name of a model': names,
};

const opened = clickhouseFixture();
/** The usage extracted for each case, by group and name. */
const found = new Map<string, Found[]>();
type Found = Readonly<Record<keyof Counters | 'model', string>>;

beforeAll(async () => {
  const rows = Object.entries(groups).flatMap(([group, cases]) =>
    cases.map(([name, summary_dump]) =>
      completeRow('team/usage', { id: `${group} ${name}` }, { summary_dump }),
    ),
  );
  await opened.insert('call_parts', rows);
  const stored = await opened.query<{ id: string; usage: Found[] }>(
    'SELECT id, usage FROM call_parts',
  );
  for (const { id, usage } of stored) found.set(id, usage);
});

const none = { requests: 0, prompt: 0, completion: 0, total: 0, cache_read: 0, cache_creation: 0 };

describe.each(Object.entries(groups))('call_parts.usage %s', (group, cases) => {
  test.each(cases)('%s', (name, _, expected) => {
    const rows = Object.entries(expected).map(([model, values]) => {
      const all = Object.entries({ ...none, ...values });
      return { model, ...Object.fromEntries(all.map(([key, value]) => [key, String(value)])) };
    });
    const usage = found.get(`${group} ${name}`);
    expect(usage).toHaveLength(rows.length);
    expect(usage).toEqual(expect.arrayContaining(rows));
  });
});

test('usage is extracted from ends, not from starts', async () => {
  const shape = { id: 'end', usage: { m: { prompt_tokens: 3, output_tokens: 4 } } };
  await opened.insert('call_parts', [startRow('team/end', shape), endRow('team/end', shape)]);
  const rows = await opened.query(
    `SELECT kind, usage.prompt AS prompt, usage.completion AS completion, usage.total AS total
    FROM call_parts WHERE project_id = 'team/end' ORDER BY kind`,
  );
  expect(rows).toEqual([
    { kind: 'start', prompt: [], completion: [], total: [] },
    { kind: 'end', prompt: ['3'], completion: ['4'], total: [String(3 + 4)] },
  ]);
});

test('usage in the summary of a start is not counted', async () => {
  const shape = { id: 'start' };
  const summary_dump = entry('{"prompt_tokens":3}');
  await opened.insert('call_parts', [startRow('team/start', shape, { summary_dump })]);
  const rows = await opened.query(
    `SELECT length(usage) AS models FROM calls WHERE project_id = 'team/start'`,
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
    `SELECT usage.model AS models FROM call_parts WHERE project_id = 'team/order'`,
  );
  expect(rows).toEqual(orders.map(() => ({ models: ['a', 'b', 'c'] })));
});
