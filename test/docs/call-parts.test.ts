import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeIn, readText, sectionOf, tableOf, uncoded } from '../support/markdown.ts';
import { openPipeline, type Pipeline } from '../support/pipeline.ts';

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

/** A value for each column that some kind of part must have. */
const values: Readonly<Record<string, string>> = {
  project_id: "'team/matrix'",
  trace_id: "'trace'",
  started_at: "'2026-11-02 09:14:00'",
  ended_at: "'2026-11-02 09:14:01'",
};

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline();
});
afterAll(() => pipeline.close());

describe('columns', () => {
  const columns = schema.split(/,\n(?= {4}[`C])/).flatMap((definition) => {
    const match = /^ {4}`(\w+)` ([^]*?)(?: (DEFAULT|CODEC|MATERIALIZED) [^]*)?$/.exec(definition);
    return match === null ? [] : [{ name: match[1], type: match[2], how: match[3] }];
  });

  test('the table holds every column that can be inserted, in order, with its type', () => {
    const known = columns.filter(({ how }) => how !== 'MATERIALIZED');
    expect(documented.map(({ name, type }) => ({ name, type }))).toEqual(
      known.map(({ name, type }) => ({ name, type })),
    );
  });

  test('the computed columns are named as such', () => {
    const computed = columns
      .filter(({ how }) => how === 'MATERIALIZED')
      .map(({ name }) => `\`${String(name)}\``);
    expect(computed).toHaveLength(3);
    const [sentence = ''] = /Three more columns[^.]*\./.exec(text) ?? [];
    for (const name of computed) expect(sentence).toContain(name);
  });

  test('the table of constraints holds every constraint, and no other', () => {
    const known = [...schema.matchAll(/CONSTRAINT (\w+)/g)].map(([, name]) => name);
    expect(tableOf(text, 'constraint').map(([name = '']) => uncoded(name))).toEqual(known);
  });
});

describe.each(kinds)('a part of kind %s', (kind) => {
  const required = documented
    .filter(({ name, needs }) => needs[kind] === '●' && name !== 'id' && name !== 'kind')
    .map(({ name }) => name);

  function insert(id: string, names: readonly string[]): Promise<void> {
    const given = names.map((name) => values[name]);
    return pipeline.run(
      `INSERT INTO call_parts (${['id', 'kind', ...names].join(', ')})
       VALUES (${[`'${id}'`, `'${kind}'`, ...given].join(', ')})`,
    );
  }

  test('needs no other columns than the table says', async () => {
    await insert(`least-${kind}`, required);
    const rows = await pipeline.look(`SELECT id FROM call_parts WHERE id = 'least-${kind}'`);
    expect(rows).toHaveLength(1);
  });

  test.each(required)('needs %s', async (missing) => {
    const rest = required.filter((name) => name !== missing);
    await expect(insert('refused', rest)).rejects.toThrow('VIOLATED_CONSTRAINT');
    expect(await pipeline.look("SELECT id FROM call_parts WHERE id = 'refused'")).toEqual([]);
  });

  test('needs an id', async () => {
    await expect(insert('', required)).rejects.toThrow('id_is_given');
  });
});

test('the examples of inserts give the answer that follows them, and a deletion takes away', async () => {
  const inserting = codeIn(sectionOf(text, 'Inserting'), 'sql').slice(1);
  const statements = inserting.flatMap((block) => block.split(/;\n/)).filter((sql) => sql.trim());
  expect(statements).toHaveLength(5);
  const [question, answer] = codeIn(sectionOf(text, 'Asking'), 'json').map(
    (json) => JSON.parse(json) as { call_usage: { root: object } },
  );
  for (const statement of statements.slice(0, -1)) await pipeline.run(statement);
  expect(await pipeline.ask(question)).toEqual(answer);

  await pipeline.run(statements.at(-1) ?? '');
  const after = (await pipeline.ask(question)) as { call_usage: { root: object } };
  expect(Object.keys(after.call_usage.root)).toEqual(['gpt-4o']);
});

test('a pipeline with the documented rights may do no more', async () => {
  await expect(pipeline.run('SELECT count() FROM llm_token_prices')).rejects.toThrow(
    'ACCESS_DENIED',
  );
});

test('usage is read from the example as the table of counters says', async () => {
  const [summary = ''] = codeIn(sectionOf(text, 'Usage'), 'json');
  expect(await readUsage(summary)).toEqual([
    // 6,940 + 201 = 7,141, since there is no total_tokens.
    entry('claude-sonnet-4-5', [1, 6940, 201, 7141, 5200, 0]),
    // cached_tokens counts, since there is no cache_read_input_tokens.
    entry('gpt-4o', [1, 5210, 486, 5696, 1536, 0]),
  ]);
});

test('each counter is read from the fields that the table names', async () => {
  const counters = tableOf(text, 'counter').map(([counter = '', from = '']) => ({
    counter,
    fields: [...from.split(/, or|where/)[0]!.matchAll(/`(\w+)`/g)].map(([, field = '']) => field),
  }));
  expect(counters.map(({ counter }) => counter)).toEqual(Object.keys(entry('', [])).slice(1));
  for (const { counter, fields } of counters) {
    const counts = Object.fromEntries(fields.map((field) => [field, 5]));
    const [read] = await readUsage(JSON.stringify({ usage: { model: counts } }));
    expect(read?.[counter], counter).toBe(String(5 * fields.length));
  }
});

test.each([
  // Whole numbers, however they are written.
  ['12', '12'],
  ['12.0', '12'],
  ['1.2e1', '12'],
  ['9007199254740991', '9007199254740991'],
  // Everything else.
  ['9007199254740992', '0'],
  ['18446744073709551615', '0'],
  ['-5', '0'],
  ['1.5', '0'],
  ['"12"', '0'],
  ['null', '0'],
  ['[12]', '0'],
])('the counter %s is read as %s', async (written, read) => {
  const [usage] = await readUsage(`{"usage": {"m": {"requests": 1, "prompt_tokens": ${written}}}}`);
  expect(usage?.['prompt']).toBe(read);
});

test('whether usage is rolled up is read as the table says', async () => {
  const rows = tableOf(sectionOf(text, 'Whether usage is rolled up'), '`attributes_dump` holds');
  const cases = rows.flatMap(([holds = '', is]) =>
    [...(holds === 'anything else' ? '`{}`' : holds).matchAll(/`([^`]*)`/g)].map(
      ([, attributes = '']) => ({ attributes, is }),
    ),
  );
  expect(cases).toHaveLength(5);
  for (const { attributes, is } of cases) {
    const part = await readPart(attributes, '{}');
    expect(part?.['is_rolled_up'] === 1, attributes).toBe(is === 'rolled up');
  }
});

let parts = 0;

/** Inserts a whole call and reads what ClickHouse made of it. */
async function readPart(
  attributes: string,
  summary: string,
): Promise<Record<string, unknown> | undefined> {
  const id = `part-${String((parts += 1))}`;
  await pipeline.run(
    `INSERT INTO call_parts (project_id, id, kind, trace_id, started_at, ended_at, attributes_dump, summary_dump)
     VALUES ('team/read', '${id}', 'whole', '${id}', '2026-11-02 09:14:00', '2026-11-02 09:14:01',
       '${attributes}', '${summary}')`,
  );
  const rows = await pipeline.look(
    `SELECT usage, is_rolled_up FROM call_parts WHERE id = '${id}'
     SETTINGS output_format_json_quote_64bit_integers = 1`,
  );
  return rows[0];
}

async function readUsage(summary: string): Promise<Record<string, string>[]> {
  const part = await readPart('{}', summary);
  return part?.['usage'] as Record<string, string>[];
}

function entry(model: string, counts: readonly number[]): Record<string, string> {
  const names = ['requests', 'prompt', 'completion', 'total', 'cache_read', 'cache_creation'];
  return {
    model,
    ...Object.fromEntries(names.map((name, index) => [name, String(counts[index])])),
  };
}
