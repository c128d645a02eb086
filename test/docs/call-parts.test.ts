import { describe, expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { codeIn, readText, sectionOf, tableOf, uncoded } from '../support/markdown.ts';
import { openPipeline } from '../support/pipeline.ts';

const text = readText('docs/call-parts.md');
const [, schema = ''] =
  /CREATE TABLE call_parts\n\(\n([^]*?)\n\)\nENGINE/.exec(
    readText('test/clickhouse/schema/golden-schema.sql'),
  ) ?? [];
const kinds = ['start', 'end', 'whole', 'deletion'] as const;

const documented = tableOf(text, 'column').map(([name = '', type = '', ...rest]) => ({
  name: uncoded(name),
  type: uncoded(type),
  needs: Object.fromEntries(kinds.map((kind, index) => [kind, rest[index] ?? ''])),
}));

/** A value for each column that some kind of part requires. */
const values: Readonly<Record<string, string>> = {
  project_id: "'team/matrix'",
  trace_id: "'trace'",
  started_at: "'2026-11-02 09:14:00'",
  ended_at: "'2026-11-02 09:14:01'",
};

const pipeline = fixture(openPipeline);

describe('columns', () => {
  const columns = schema.split(/,\n(?= {4}[`C])/).flatMap((definition) => {
    const match = /^ {4}`(\w+)` ([^]*?)(?: (DEFAULT|CODEC|MATERIALIZED) [^]*)?$/.exec(definition);
    return match === null ? [] : [{ name: match[1], type: match[2], clause: match[3] }];
  });

  test('the documented columns are those that can be inserted, in order and with their types', () => {
    const insertable = columns.filter(({ clause }) => clause !== 'MATERIALIZED');
    expect(documented.map(({ name, type }) => ({ name, type }))).toEqual(
      insertable.map(({ name, type }) => ({ name, type })),
    );
  });

  test('the documented computed columns are those of the schema', () => {
    const computed = columns
      .filter(({ clause }) => clause === 'MATERIALIZED')
      .map(({ name }) => `\`${String(name)}\``);
    expect(computed).toHaveLength(5);
    const [sentence = ''] = /Five more columns[^.]*\./.exec(text) ?? [];
    for (const name of computed) expect(sentence).toContain(name);
  });

  test('the documented constraints are those of the schema', () => {
    const constraints = [...schema.matchAll(/CONSTRAINT (\w+)/g)].map(([, name]) => name);
    expect(tableOf(text, 'constraint').map(([name = '']) => uncoded(name))).toEqual(constraints);
  });
});

describe.each(kinds)('a part of kind %s', (kind) => {
  const required = documented
    .filter(({ name, needs }) => needs[kind] === '●' && name !== 'id' && name !== 'kind')
    .map(({ name }) => name);

  function insert(id: string, names: readonly string[]): Promise<void> {
    const literals = names.map((name) => values[name]);
    return pipeline.execute(
      `INSERT INTO call_parts (${['id', 'kind', ...names].join(', ')})
       VALUES (${[`'${id}'`, `'${kind}'`, ...literals].join(', ')})`,
    );
  }

  test('can be inserted with the columns that the table requires', async () => {
    await insert(`required-${kind}`, required);
    const rows = await pipeline.select(`SELECT id FROM call_parts WHERE id = 'required-${kind}'`);
    expect(rows).toHaveLength(1);
  });

  test.each(required)('cannot be inserted without %s', async (missing) => {
    const rest = required.filter((name) => name !== missing);
    await expect(insert('rejected', rest)).rejects.toThrow('VIOLATED_CONSTRAINT');
    expect(await pipeline.select("SELECT id FROM call_parts WHERE id = 'rejected'")).toEqual([]);
  });

  test('cannot be inserted without an id', async () => {
    await expect(insert('', required)).rejects.toThrow('id_is_given');
  });
});

test('the inserts of the examples give the documented answer, and the deletion removes its call from it', async () => {
  const examples = codeIn(sectionOf(text, 'Inserting'), 'sql').slice(1);
  const statements = examples.flatMap((block) => block.split(/;\n/)).filter((sql) => sql.trim());
  expect(statements).toHaveLength(5);
  const [request, answer] = codeIn(sectionOf(text, 'Requesting usage'), 'json').map(
    (json) => JSON.parse(json) as { call_usage: { root: object } },
  );
  for (const statement of statements.slice(0, -1)) await pipeline.execute(statement);
  expect(await pipeline.requestUsage(request)).toEqual(answer);

  await pipeline.execute(statements.at(-1) ?? '');
  const after = (await pipeline.requestUsage(request)) as { call_usage: { root: object } };
  expect(Object.keys(after.call_usage.root)).toEqual(['gpt-4o']);
});

test('a pipeline with the documented grants cannot read other tables', async () => {
  await expect(pipeline.execute('SELECT count() FROM llm_token_prices')).rejects.toThrow(
    'ACCESS_DENIED',
  );
});

test('the example of a summary is stored as the table of positions says', async () => {
  const [summary = ''] = codeIn(sectionOf(text, 'Usage'), 'json');
  expect(await readCounters(summary)).toEqual({
    // requests, prompt_tokens, completion_tokens, total_tokens, and at position 9 the cached tokens.
    'gpt-4o': [1, 5210, 486, 5696, 0, 0, 0, 0, 1536],
    // requests, and at position 5 to 7 input_tokens, output_tokens and cache_read_input_tokens.
    'claude-sonnet-4-5': [1, 0, 0, 0, 6940, 201, 5200],
  });
});

test.each([
  // Integers in any notation, and text of digits.
  ['12', 12],
  ['12.0', 12],
  ['1.2e1', 12],
  ['"12"', 12],
  ['9007199254740991', 2 ** 53 - 1],
  // Any other value.
  ['9007199254740992', 0],
  ['18446744073709551615', 0],
  ['-5', 0],
  ['1.5', 0],
  ['"+12"', 0],
  ['null', 0],
  ['[12]', 0],
])('the counter %s is stored as %s', async (json, stored) => {
  const { m } = await readCounters(
    `{"usage": {"m": {"total_tokens": 1, "prompt_tokens": ${json}}}}`,
  );
  expect(m?.[1]).toBe(stored);
});

test('a call has the usage mode that the table gives its attributes', async () => {
  const rows = tableOf(sectionOf(text, 'Rolled-up calls'), '`attributes_dump`');
  const cases = rows.flatMap(([cell = '', , mode]) =>
    [...(cell === 'anything else' ? '`{}`' : cell).matchAll(/`([^`]*)`/g)].map(
      ([, attributes = '']) => ({ attributes, mode: Number(mode) }),
    ),
  );
  expect(cases).toHaveLength(6);
  for (const { attributes, mode } of cases) {
    const part = await readPart(attributes, '{}');
    expect(part?.['usage_mode'], attributes).toBe(mode);
    expect(part?.['is_rolled_up'], attributes).toBe(Number(mode === 1));
  }
});

let partCount = 0;

/** Inserts a complete call and reads the columns that ClickHouse computed. */
async function readPart(
  attributes: string,
  summary: string,
): Promise<Record<string, unknown> | undefined> {
  const id = `part-${String((partCount += 1))}`;
  await pipeline.execute(
    `INSERT INTO call_parts (project_id, id, kind, trace_id, started_at, ended_at, attributes_dump, summary_dump)
     VALUES ('team/read', '${id}', 'whole', '${id}', '2026-11-02 09:14:00', '2026-11-02 09:14:01',
       '${attributes}', '${summary}')`,
  );
  const rows = await pipeline.select(
    `SELECT usage_fields, usage_mode, is_rolled_up FROM call_parts WHERE id = '${id}'
     SETTINGS output_format_json_quote_64bit_integers = 0`,
  );
  return rows[0];
}

/** Inserts a summary and reads the counters of each model. */
async function readCounters(summary: string): Promise<Record<string, number[]>> {
  const part = await readPart('{}', summary);
  const usage = part?.['usage_fields'] as { model: string; counters: number[] }[];
  return Object.fromEntries(usage.map(({ model, counters }) => [model, counters]));
}
