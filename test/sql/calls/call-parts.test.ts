import { beforeAll, describe, expect, test } from 'vitest';
import {
  deletionRow,
  endRow,
  orphanEndRow,
  permutationsOf,
  type Row,
  startRow,
  completeRow,
} from '../../support/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

async function insert(...rows: readonly Row[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

/** How many parts of a project there are when repeated ones are merged. */
async function partsIn(project: string): Promise<number> {
  const rows = await opened.query<{ parts: string }>(
    'SELECT count() AS parts FROM call_parts FINAL WHERE project_id = {project: String}',
    { project },
  );
  return Number(rows[0]?.parts);
}

describe('whether usage is rolled up', () => {
  const cases: [string, object, 0 | 1][] = [
    ['no attributes', {}, 0],
    ['the Python SDK', { weave: { source: 'python-sdk' } }, 1],
    ['the TypeScript SDK', { weave: { source: 'js-sdk' } }, 1],
    ['another source', { weave: { source: 'otel' } }, 0],
    ['a source with a capital', { weave: { source: 'JS-SDK' } }, 0],
    ['a source that is no text', { weave: { source: ['js-sdk'] } }, 0],
    ['rolled_up', { weave: { usage_rollup: 'rolled_up' } }, 1],
    ['own', { weave: { usage_rollup: 'own' } }, 0],
    ['rolled_up of another source', { weave: { usage_rollup: 'rolled_up', source: 'otel' } }, 1],
    ['own of an SDK', { weave: { source: 'js-sdk', usage_rollup: 'own' } }, 0],
    ['something unknown of an SDK', { weave: { source: 'js-sdk', usage_rollup: 'sums' } }, 0],
    ['null of an SDK', { weave: { source: 'js-sdk', usage_rollup: null } }, 1],
    ['the same outside weave', { source: 'js-sdk', usage_rollup: 'rolled_up' }, 0],
    ['the same further down', { a: { weave: { source: 'js-sdk' } } }, 0],
    ['weave that is no object', { weave: 'js-sdk' }, 0],
    ['weave that is a list', { weave: [{ source: 'js-sdk' }] }, 0],
    ['a dotted name', { 'weave.source': 'js-sdk' }, 0],
    ['other attributes beside it', { a: [1], weave: { b: null, source: 'js-sdk' }, z: {} }, 1],
  ];
  const found = new Map<string, number>();
  beforeAll(async () => {
    const parts = cases.flatMap(([name, attributes]) => {
      const more = { attributes_dump: JSON.stringify(attributes) };
      return [
        startRow('p/rollup', { id: `start: ${name}` }, more),
        completeRow('p/rollup', { id: `whole: ${name}` }, more),
        endRow('p/rollup', { id: `end: ${name}` }, more),
      ];
    });
    await insert(...parts);
    const rows = await opened.query<{ id: string; is_rolled_up: number }>(
      `SELECT id, is_rolled_up FROM call_parts WHERE project_id = 'p/rollup'`,
    );
    for (const { id, is_rolled_up } of rows) found.set(id, is_rolled_up);
  });

  test.each(cases)('a start and a whole call with %s: %j is %d', (name, _, expected) => {
    expect(found.get(`start: ${name}`)).toBe(expected);
    expect(found.get(`whole: ${name}`)).toBe(expected);
  });

  test('an end does not say', () => {
    for (const [name] of cases) expect(found.get(`end: ${name}`)).toBe(0);
  });
});

describe('constraints', () => {
  const call = { id: 'a' };
  const whole = completeRow('p/bad', call);
  const start = startRow('p/bad', call);
  const end = endRow('p/bad', call);
  const deletion = deletionRow('p/bad', call);
  const cases: [string, Row, string][] = [
    ['without a project', { ...whole, project_id: '' }, 'project_id_is_given'],
    ['without an id', { ...whole, id: '' }, 'id_is_given'],
    ['a start without a trace', { ...start, trace_id: '' }, 'only_an_end_may_lack_its_trace_id'],
    ['a whole without a trace', { ...whole, trace_id: '' }, 'only_an_end_may_lack_its_trace_id'],
    [
      'a deletion without a trace',
      { ...deletion, trace_id: '' },
      'only_an_end_may_lack_its_trace_id',
    ],
    ['a start without its time', { ...start, started_at: null }, 'a_start_has_its_time'],
    ['a whole without its start', { ...whole, started_at: null }, 'a_start_has_its_time'],
    ['an end without its time', { ...end, ended_at: null }, 'an_end_has_its_time'],
    ['a whole without its end', { ...whole, ended_at: null }, 'an_end_has_its_time'],
  ];
  const unreadable: [string, string][] = [
    ['nothing', ''],
    ['text', 'usage'],
    ['half an object', '{"a":1'],
    ['an object and more', '{} {}'],
    ['a comma too many', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['NaN', '{"a":NaN}'],
    ['a comment', '{} // none'],
    ['an integer beyond 64 bits', '{"a":18446744073709551616}'],
    ['an integer below 64 bits', '{"a":-9223372036854775809}'],
    ['a number beyond all doubles', '{"a":1e999}'],
    ['half of a surrogate pair', '{"a":"\\ud800"}'],
    ['1,100 levels', '['.repeat(1_100) + ']'.repeat(1_100)],
  ];
  for (const [what, dump] of unreadable) {
    cases.push(
      [`attributes: ${what}`, { ...whole, attributes_dump: dump }, 'attributes_dump_is_json'],
      [`a summary: ${what}`, { ...whole, summary_dump: dump }, 'summary_dump_is_json'],
    );
  }

  test.each(cases)('refuse %s by a name that says why', async (_, row, constraint) => {
    const good = Array.from({ length: 100 }, (_, index) =>
      completeRow('p/bad', { id: `good-${index}` }),
    );
    const inserting = opened.clickhouse.insert('call_parts', [...good, row]);
    const message = expect.stringContaining(`Constraint \`${constraint}\``) as string;
    await expect(inserting).rejects.toMatchObject({ cause: { message } });
    expect(await partsIn('p/bad')).toBe(0);
  });

  test.each([
    ['a kind that there is none of', { ...whole, kind: 'stop' }],
    ['a day that does not exist', { ...whole, started_at: '2026-02-30 00:00:00' }],
  ])('are not needed to refuse %s', async (_, row) => {
    await expect(opened.clickhouse.insert('call_parts', [row])).rejects.toThrow();
    expect(await partsIn('p/bad')).toBe(0);
  });

  test.each([{ usage: [] }, { is_rolled_up: 1 }, { part_hash: '1' }])(
    'are not needed to refuse what is computed: %j',
    async (column) => {
      const inserting = opened.clickhouse.insert('call_parts', [{ ...whole, ...column }]);
      await expect(inserting).rejects.toThrow('insert_call_parts failed in ClickHouse');
      expect(await partsIn('p/bad')).toBe(0);
    },
  );

  test('let a part be without what its kind does not need', async () => {
    const columns = { project_id: 'p/bare', id: 'a' };
    const time = '2026-01-31 12:00:00';
    await insert(
      { ...columns, kind: 'start', trace_id: 't', started_at: time },
      { ...columns, kind: 'end', ended_at: time },
      { ...columns, kind: 'whole', trace_id: 't', started_at: time, ended_at: time },
      { ...columns, kind: 'deletion', trace_id: 't' },
    );
    expect(await partsIn('p/bare')).toBe(4);
  });

  test('let any JSON be attributes and summary', async () => {
    const dumps = ['{}', '[]', 'null', '5', '"x"', ' {"a": [1e300, "\\u0000", "\u{1f600}"]} '];
    await insert(
      ...dumps.map((dump, index) =>
        completeRow('p/json', { id: `${index}` }, { attributes_dump: dump, summary_dump: dump }),
      ),
    );
    expect(await partsIn('p/json')).toBe(dumps.length);
  });
});

describe('a repeated part', () => {
  const call = { id: 'a', usage: { m: { prompt_tokens: 3 } } };

  test('leaves one row, in one insert and in several', async () => {
    const rows = ['start', 'end', 'whole', 'deletion', 'loose end'].map((kind) => {
      const shape = { ...call, id: kind };
      if (kind === 'start') return startRow('p/repeated', shape);
      if (kind === 'end') return endRow('p/repeated', shape);
      if (kind === 'whole') return completeRow('p/repeated', shape);
      return kind === 'deletion'
        ? deletionRow('p/repeated', shape)
        : orphanEndRow('p/repeated', shape);
    });
    await insert(...rows, ...rows);
    await insert(...rows);
    expect(await partsIn('p/repeated')).toBe(rows.length);
  });

  test('is the same part whenever it was inserted', async () => {
    const times = ['2026-01-31 12:00:00.000', '2026-01-31 12:00:00.001', '2027-01-01 00:00:00.000'];
    for (const inserted_at of times) await insert(completeRow('p/later', call, { inserted_at }));
    expect(await partsIn('p/later')).toBe(1);
  });

  const differences: Row[] = [
    { trace_id: 'other' },
    { id: 'other' },
    { parent_id: 'other' },
    { started_at: '2026-01-31 12:00:00.000001' },
    { started_at: '2026-01-31 11:00:00' },
    { ended_at: '2026-01-31 12:00:00.000001' },
    { op_name: 'other' },
    { display_name: 'other' },
    { attributes_dump: '{"a":1}' },
    { inputs_dump: '{"a":1}' },
    { output_dump: '{"a":1}' },
    { summary_dump: '{"a":1}' },
    { exception: 'other' },
    { thread_id: 'other' },
    { turn_id: 'other' },
    { otel_dump: '{"a":1}' },
    { wb_user_id: 'other' },
    { wb_run_id: 'other' },
    { wb_run_step: 1 },
    { wb_run_step_end: 1 },
  ];

  test.each(differences)('is another part where it says something else: %j', async (difference) => {
    const project = `p/differs-${JSON.stringify(difference)}`;
    await insert(completeRow(project, call), completeRow(project, call, difference));
    expect(await partsIn(project)).toBe(2);
  });

  test('every column but the time of its insert can tell parts apart', async () => {
    const rows = await opened.query<{ name: string }>(
      `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'call_parts'
      AND default_kind != 'MATERIALIZED' AND name NOT IN ('project_id', 'kind', 'inserted_at')`,
    );
    const told = new Set(differences.flatMap((difference) => Object.keys(difference)));
    expect([...told].sort()).toEqual(rows.map(({ name }) => name).sort());
  });
});

describe('every order of parts gives the same row of calls', () => {
  /** Two starts that contradict each other, two ends as well, and a deletion. */
  const partsOf = (project: string): Row[] => [
    startRow(project, { id: 'a', parent: 'one', startedAt: '2026-01-31 12:00:00.000001' }),
    startRow(
      project,
      { id: 'a', parent: 'two', startedAt: '2026-01-31 12:00:00.000002' },
      { attributes_dump: '{"weave":{"source":"js-sdk"}}' },
    ),
    endRow(project, { id: 'a', usage: { m: { prompt_tokens: 3 }, n: { requests: 1 } } }),
    endRow(project, { id: 'a', usage: { m: { prompt_tokens: 4 } } }),
    deletionRow(project, { id: 'a' }),
  ];
  const orders = new Map(permutationsOf([0, 1, 2, 3, 4]).map((order) => [order.join(''), order]));
  const positions = [0, 1, 2, 3, 4] as const;

  const usageOf = (model: string, prompt: number) => ({
    model,
    // requests, prompt, completion, total, cache_read, cache_creation, uncached
    counters: [0, prompt, 0, prompt, 0, 0, prompt].map(String),
  });

  /** The different rows of `calls` of projects with a name that begins so, and how many have each. */
  const rowsOf = (prefix: string): Promise<object[]> =>
    opened.query(
      `SELECT is_after_parent, is_deleted, is_rolled_up, hex(open_id) AS open_id,
        toString(fromUnixTimestamp64Micro(started_us, 'UTC')) AS started_at, usage, toUInt32(count()) AS count, uniqExact(parent) AS parents
      FROM calls FINAL WHERE startsWith(project_id, {prefix: String}) GROUP BY ALL`,
      { prefix },
    );
  const expected = {
    // 'a' is not greater than 'one'.
    is_after_parent: 0,
    is_deleted: 1,
    is_rolled_up: 1,
    open_id: 'FF',
    // Of what contradicts itself the greater holds: the later start, the usage that is greater as a list.
    started_at: '2026-01-31 12:00:00.000002',
    usage: [usageOf('m', 4)],
    count: orders.size,
    parents: '1',
  };

  test('in one insert', async () => {
    const rows = [...orders].flatMap(([name, order]) => {
      const parts = partsOf(`together/${name}`);
      return order.map((index) => parts[index]!);
    });
    await insert(...rows);
    expect(await rowsOf('together/')).toEqual([expected]);
  });

  test('in an insert each, before ClickHouse merges and after', async () => {
    for (const position of positions) {
      await insert(
        ...[...orders].map(([name, order]) => partsOf(`apart/${name}`)[order[position]!]!),
      );
    }
    expect(await rowsOf('apart/')).toEqual([expected]);
    await opened.command('OPTIMIZE TABLE calls FINAL');
    expect(await rowsOf('apart/')).toEqual([expected]);
  });

  test('repeated, in an insert each', async () => {
    for (const position of [...positions, ...positions, ...positions.toReversed()]) {
      await insert(
        ...[...orders].map(([name, order]) => partsOf(`repeated/${name}`)[order[position]!]!),
      );
    }
    expect(await rowsOf('repeated/')).toEqual([expected]);
  });

  test('and whole calls the same as a start and an end', async () => {
    const shape = { id: 'a', parent: 'p', usage: { m: { prompt_tokens: 3 } } };
    await insert(completeRow('whole/', shape), startRow('parts/', shape), endRow('parts/', shape));
    const [whole, parts] = await Promise.all([rowsOf('whole/'), rowsOf('parts/')]);
    expect(whole).toHaveLength(1);
    expect(whole).toEqual(parts);
  });
});

test('a call is in its own trace only: the same id in another trace is another call', async () => {
  await insert(
    completeRow('p/traces', { id: 'a', trace: 'one', usage: { m: { prompt_tokens: 1 } } }),
    completeRow('p/traces', { id: 'a', trace: 'two', usage: { m: { prompt_tokens: 2 } } }),
  );
  const rows = await opened.query(
    `SELECT trace_id, arrayMap(used -> used.counters[2], usage) AS prompt FROM calls FINAL
    WHERE project_id = 'p/traces' ORDER BY trace_id`,
  );
  expect(rows).toEqual([
    { trace_id: 'one', prompt: ['1'] },
    { trace_id: 'two', prompt: ['2'] },
  ]);
});
