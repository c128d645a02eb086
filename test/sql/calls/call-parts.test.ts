import { beforeAll, describe, expect, test } from 'vitest';
import {
  deletionRow,
  endRow,
  orphanEndRow,
  permutationsOf,
  type Row,
  startRow,
  completeRow,
} from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

async function insert(...rows: readonly Row[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

/** The number of parts of a project after repeated ones are merged. */
async function countParts(project: string): Promise<number> {
  const rows = await opened.query<{ parts: string }>(
    'SELECT count() AS parts FROM call_parts FINAL WHERE project_id = {project: String}',
    { project },
  );
  return Number(rows[0]?.parts);
}

describe('usage_mode', () => {
  const cases: [string, object, 0 | 1 | 2][] = [
    ['no attributes', {}, 0],
    ['the Python SDK', { weave: { source: 'python-sdk' } }, 1],
    ['the TypeScript SDK', { weave: { source: 'js-sdk' } }, 1],
    ['another source', { weave: { source: 'otel' } }, 0],
    ['a source with a capital', { weave: { source: 'JS-SDK' } }, 0],
    ['a source that is not a string', { weave: { source: ['js-sdk'] } }, 0],
    ['usage_rollup rolled_up', { weave: { usage_rollup: 'rolled_up' } }, 1],
    ['usage_rollup own', { weave: { usage_rollup: 'own' } }, 0],
    [
      'usage_rollup rolled_up of another source',
      { weave: { usage_rollup: 'rolled_up', source: 'otel' } },
      1,
    ],
    ['usage_rollup own of an SDK', { weave: { source: 'js-sdk', usage_rollup: 'own' } }, 0],
    ['an unknown usage_rollup of an SDK', { weave: { source: 'js-sdk', usage_rollup: 'sums' } }, 1],
    ['usage_rollup otel of an SDK', { weave: { source: 'js-sdk', usage_rollup: 'otel' } }, 2],
    ['an unknown usage_rollup', { weave: { usage_rollup: 'sums' } }, 0],
    ['usage_rollup null of an SDK', { weave: { source: 'js-sdk', usage_rollup: null } }, 1],
    ['the attributes of an SDK outside weave', { source: 'js-sdk', usage_rollup: 'rolled_up' }, 0],
    ['the attributes of an SDK at a deeper level', { a: { weave: { source: 'js-sdk' } } }, 0],
    ['weave that is a string', { weave: 'js-sdk' }, 0],
    ['weave that is a list', { weave: [{ source: 'js-sdk' }] }, 0],
    ['a dotted name', { 'weave.source': 'js-sdk' }, 0],
    [
      'other attributes next to those of an SDK',
      { a: [1], weave: { b: null, source: 'js-sdk' }, z: {} },
      1,
    ],
  ];
  const found = new Map<string, number>();
  beforeAll(async () => {
    const parts = cases.flatMap(([name, attributes]) => {
      const more = { attributes_dump: JSON.stringify(attributes) };
      return [
        startRow('p/rollup', { id: `start: ${name}` }, more),
        completeRow('p/rollup', { id: `complete: ${name}` }, more),
        endRow('p/rollup', { id: `end: ${name}` }, more),
      ];
    });
    await insert(...parts);
    const rows = await opened.query<{ id: string; usage_mode: number; is_rolled_up: number }>(
      `SELECT id, usage_mode, is_rolled_up FROM call_parts WHERE project_id = 'p/rollup'`,
    );
    for (const { id, usage_mode, is_rolled_up } of rows) {
      found.set(id, usage_mode);
      expect(is_rolled_up, id).toBe(Number(usage_mode === 1));
    }
  });

  test.each(cases)('of a start and a complete call with %s: %j is %d', (name, _, expected) => {
    expect(found.get(`start: ${name}`)).toBe(expected);
    expect(found.get(`complete: ${name}`)).toBe(expected);
  });

  test('of an end is always 0', () => {
    for (const [name] of cases) expect(found.get(`end: ${name}`)).toBe(0);
  });
});

describe('the constraints of call_parts', () => {
  const call = { id: 'a' };
  const complete = completeRow('p/bad', call);
  const start = startRow('p/bad', call);
  const end = endRow('p/bad', call);
  const deletion = deletionRow('p/bad', call);
  const cases: [string, Row, string][] = [
    ['without a project', { ...complete, project_id: '' }, 'project_id_is_given'],
    ['without an id', { ...complete, id: '' }, 'id_is_given'],
    ['a start without a trace', { ...start, trace_id: '' }, 'only_an_end_may_lack_its_trace_id'],
    [
      'a complete call without a trace',
      { ...complete, trace_id: '' },
      'only_an_end_may_lack_its_trace_id',
    ],
    [
      'a deletion without a trace',
      { ...deletion, trace_id: '' },
      'only_an_end_may_lack_its_trace_id',
    ],
    ['a start without started_at', { ...start, started_at: null }, 'a_start_has_its_time'],
    [
      'a complete call without started_at',
      { ...complete, started_at: null },
      'a_start_has_its_time',
    ],
    ['an end without ended_at', { ...end, ended_at: null }, 'an_end_has_its_time'],
    ['a complete call without ended_at', { ...complete, ended_at: null }, 'an_end_has_its_time'],
  ];
  const invalidDumps: [string, string][] = [
    ['an empty string', ''],
    ['a bare word', 'usage'],
    ['an unclosed object', '{"a":1'],
    ['two objects', '{} {}'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['NaN', '{"a":NaN}'],
    ['a comment', '{} // none'],
    ['an integer beyond 64 bits', '{"a":18446744073709551616}'],
    ['an integer below 64 bits', '{"a":-9223372036854775809}'],
    ['a number beyond the range of doubles', '{"a":1e999}'],
    ['half of a surrogate pair', '{"a":"\\ud800"}'],
    ['1,100 nested arrays', '['.repeat(1_100) + ']'.repeat(1_100)],
  ];
  for (const [what, dump] of invalidDumps) {
    cases.push(
      [`attributes: ${what}`, { ...complete, attributes_dump: dump }, 'attributes_dump_is_json'],
      [`a summary: ${what}`, { ...complete, summary_dump: dump }, 'summary_dump_is_json'],
    );
  }

  test.each(cases)(
    'refuse all rows of an insert with one row %s, naming the constraint',
    async (_, row, constraint) => {
      const good = Array.from({ length: 100 }, (_, index) =>
        completeRow('p/bad', { id: `good-${index}` }),
      );
      const inserting = opened.clickhouse.insert('call_parts', [...good, row]);
      const message = expect.stringContaining(`Constraint \`${constraint}\``) as string;
      await expect(inserting).rejects.toMatchObject({ cause: { message } });
      expect(await countParts('p/bad')).toBe(0);
    },
  );

  test.each([
    ['an unknown kind', { ...complete, kind: 'stop' }],
    ['a day that does not exist', { ...complete, started_at: '2026-02-30 00:00:00' }],
  ])('are not needed: column types refuse %s', async (_, row) => {
    await expect(opened.clickhouse.insert('call_parts', [row])).rejects.toThrow();
    expect(await countParts('p/bad')).toBe(0);
  });

  test.each([{ usage_fields: [] }, { usage: [] }, { is_rolled_up: 1 }, { sdk_version: 1 }])(
    'are not needed: an insert cannot set the computed column %j',
    async (column) => {
      const inserting = opened.clickhouse.insert('call_parts', [{ ...complete, ...column }]);
      await expect(inserting).rejects.toThrow('insert_call_parts failed in ClickHouse');
      expect(await countParts('p/bad')).toBe(0);
    },
  );

  test('allow a part without the columns that its kind does not need', async () => {
    const columns = { project_id: 'p/bare', id: 'a' };
    const time = '2026-01-31 12:00:00';
    await insert(
      { ...columns, kind: 'start', trace_id: 't', started_at: time },
      { ...columns, kind: 'end', ended_at: time },
      { ...columns, kind: 'whole', trace_id: 't', started_at: time, ended_at: time },
      { ...columns, kind: 'deletion', trace_id: 't' },
    );
    expect(await countParts('p/bare')).toBe(4);
  });

  test('allow any JSON as attributes and summary', async () => {
    const dumps = ['{}', '[]', 'null', '5', '"x"', ' {"a": [1e300, "\\u0000", "\u{1f600}"]} '];
    await insert(
      ...dumps.map((dump, index) =>
        completeRow('p/json', { id: `${index}` }, { attributes_dump: dump, summary_dump: dump }),
      ),
    );
    expect(await countParts('p/json')).toBe(dumps.length);
  });
});

describe('a repeated part', () => {
  const call = { id: 'a', usage: { m: { prompt_tokens: 3 } } };

  test('leaves one row, in one insert or in several', async () => {
    const rows = ['start', 'end', 'whole', 'deletion', 'orphan end'].map((kind) => {
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
    expect(await countParts('p/repeated')).toBe(rows.length);
  });

  test('is the same part whatever its inserted_at', async () => {
    const times = ['2026-01-31 12:00:00.000', '2026-01-31 12:00:00.001', '2027-01-01 00:00:00.000'];
    for (const inserted_at of times) await insert(completeRow('p/later', call, { inserted_at }));
    expect(await countParts('p/later')).toBe(1);
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
    { output_id: 'other' },
    { output_service_tier: 'other' },
    { summary_dump: '{"a":1}' },
    { exception: 'other' },
    { has_exception: 1 },
    { thread_id: 'other' },
    { turn_id: 'other' },
    { otel_dump: '{"a":1}' },
    { wb_user_id: 'other' },
    { wb_run_id: 'other' },
    { wb_run_step: 1 },
    { wb_run_step_end: 1 },
    { usage_mode: 2 },
    { span_kind: 1 },
    { scope: 1 },
    { span_attributes: '{"a":1}' },
  ];

  test.each(differences)(
    'is not merged with a part in which a column differs: %j',
    async (difference) => {
      const project = `p/differs-${JSON.stringify(difference)}`;
      await insert(completeRow(project, call), completeRow(project, call, difference));
      expect(await countParts(project)).toBe(2);
    },
  );

  test('is compared by every column except inserted_at and part_hash', async () => {
    const rows = await opened.query<{ name: string }>(
      `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'call_parts'
      AND default_kind != 'MATERIALIZED' AND name NOT IN ('project_id', 'kind', 'inserted_at', 'part_hash')`,
    );
    const tested = new Set(differences.flatMap((difference) => Object.keys(difference)));
    expect([...tested].sort()).toEqual(rows.map(({ name }) => name).sort());
  });
});

describe('every order of parts gives the same row of calls', () => {
  /** Two contradictory starts, two contradictory ends, and a deletion. */
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
    counters: [0, prompt].map(String),
    service_tier: '',
    facts: 0,
  });

  /** The distinct rows of `merged_calls` in projects with this prefix, and how many projects have each. */
  const rowsOf = (prefix: string): Promise<object[]> =>
    opened.query(
      `SELECT is_after_parent, is_deleted, usage_mode, hex(open_id) AS open_id, has_error,
        toString(fromUnixTimestamp64Micro(started_us, 'UTC')) AS started_at, usage, toUInt32(count()) AS count, uniqExact(parent) AS parents
      FROM merged_calls FINAL WHERE startsWith(project_id, {prefix: String}) GROUP BY ALL`,
      { prefix },
    );
  const expected = {
    // 'a' is not greater than 'one'.
    is_after_parent: 0,
    is_deleted: 1,
    usage_mode: 1,
    has_error: 0,
    open_id: 'FF',
    // Of contradictory values the greater is kept: the later start, and the greater array of usage.
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

  test('in separate inserts, before and after ClickHouse merges', async () => {
    for (const position of positions) {
      await insert(
        ...[...orders].map(([name, order]) => partsOf(`apart/${name}`)[order[position]!]!),
      );
    }
    expect(await rowsOf('apart/')).toEqual([expected]);
    await opened.command('OPTIMIZE TABLE merged_calls FINAL');
    expect(await rowsOf('apart/')).toEqual([expected]);
  });

  test('in separate inserts with repeats', async () => {
    for (const position of [...positions, ...positions, ...positions.toReversed()]) {
      await insert(
        ...[...orders].map(([name, order]) => partsOf(`repeated/${name}`)[order[position]!]!),
      );
    }
    expect(await rowsOf('repeated/')).toEqual([expected]);
  });

  test('and a complete call gives the same row as a start and an end', async () => {
    const shape = { id: 'a', parent: 'p', usage: { m: { prompt_tokens: 3 } } };
    await insert(completeRow('whole/', shape), startRow('parts/', shape), endRow('parts/', shape));
    const [whole, parts] = await Promise.all([rowsOf('whole/'), rowsOf('parts/')]);
    expect(whole).toHaveLength(1);
    expect(whole).toEqual(parts);
  });
});

describe('sdk_version', () => {
  const cases: [string, string, bigint][] = [
    ['js-sdk', '0.11.1', 10n ** 15n + 11n * 10n ** 6n + 1n * 10n + 1n],
    ['js-sdk', '0.12.0-rc.1', 10n ** 15n + 12n * 10n ** 6n],
    ['js-sdk', '0.12.0', 10n ** 15n + 12n * 10n ** 6n + 1n],
    ['js-sdk', '0.12.0+build.5', 10n ** 15n + 12n * 10n ** 6n + 1n],
    ['python-sdk', '1.52.10', 2n * 10n ** 15n + 10n ** 10n + 52n * 10n ** 6n + 101n],
    ['python-sdk', '0.52.10.dev0', 2n * 10n ** 15n + 52n * 10n ** 6n + 100n],
    ['python-sdk', '0.52.10.post1', 2n * 10n ** 15n + 52n * 10n ** 6n + 101n],
    ['python-sdk', '0.52.10rc1', 2n * 10n ** 15n + 52n * 10n ** 6n + 100n],
    ['otel', '0.11.1', 0n],
    ['js-sdk', '0.11', 0n],
    ['js-sdk', '', 0n],
    ['js-sdk', 'latest', 0n],
    ['js-sdk', '0.11.1234567', 0n],
  ];

  test.each(cases)('of %s %s is %d', async (source, client_version, expected) => {
    const project = `p/sdk-${source}-${client_version}`;
    const attributes_dump = JSON.stringify({ weave: { source, client_version } });
    await insert(startRow(project, { id: 'a' }, { attributes_dump }), endRow(project, { id: 'a' }));
    const rows = await opened.query(
      'SELECT sdk_version FROM merged_calls FINAL WHERE project_id = {project: String}',
      { project },
    );
    expect(rows).toEqual([{ sdk_version: String(expected) }]);
  });
});

describe('merged_calls', () => {
  test('has the names, the end, the error and the response of a call', async () => {
    const columns = {
      op_name: 'op',
      thread_id: 'thread',
      wb_user_id: 'user',
      span_kind: 2,
      scope: '5',
    };
    const endColumns = {
      ended_at: '2026-01-31 12:00:05.000001',
      exception: 'broke',
      output_id: 'response',
    };
    await insert(
      startRow('p/names', { id: 'a' }, columns),
      endRow('p/names', { id: 'a' }, endColumns),
    );
    const rows = await opened.query(
      `SELECT op_name, thread_id, wb_user_id, span_kind, scope, has_error, toString(fromUnixTimestamp64Micro(ended_us, 'UTC')) AS ended_at,
        response = sipHash64(trace_id, 'response') AS has_response
      FROM merged_calls FINAL WHERE project_id = 'p/names'`,
    );
    expect(rows).toEqual([
      { ...columns, has_error: 1, ended_at: endColumns.ended_at, has_response: 1 },
    ]);
  });

  test('has the year 1900 as the end of a call without one, and no response', async () => {
    await insert(startRow('p/open', { id: 'a' }, { output_id: 'of a start' }));
    const rows = await opened.query(
      `SELECT toString(fromUnixTimestamp64Micro(ended_us, 'UTC')) AS ended_at, response FROM merged_calls FINAL WHERE project_id = 'p/open'`,
    );
    expect(rows).toEqual([{ ended_at: '1900-01-01 00:00:00.000000', response: '0' }]);
  });

  test('has a checksum that every insert changes and no merge', async () => {
    const read = async (): Promise<string> => {
      const [row] = await opened.query<{ checksum: string }>(
        `SELECT sum(checksum) AS checksum FROM merged_calls WHERE project_id = 'p/checksum'`,
      );
      return row?.checksum ?? '';
    };
    const seen = new Set<string>();
    const parts = [
      startRow('p/checksum', { id: 'a' }),
      endRow('p/checksum', { id: 'a' }),
      deletionRow('p/checksum', { id: 'a' }),
    ];
    for (const part of [...parts, ...parts]) {
      await insert(part);
      seen.add(await read());
      await opened.command('OPTIMIZE TABLE merged_calls FINAL');
      seen.add(await read());
    }
    expect(seen.size).toBe(2 * parts.length);
  });
});

test('the same id in another trace is another call', async () => {
  await insert(
    completeRow('p/traces', { id: 'a', trace: 'one', usage: { m: { prompt_tokens: 1 } } }),
    completeRow('p/traces', { id: 'a', trace: 'two', usage: { m: { prompt_tokens: 2 } } }),
  );
  const rows = await opened.query(
    `SELECT trace_id, arrayMap(used -> used.counters[2], usage) AS prompt FROM merged_calls FINAL
    WHERE project_id = 'p/traces' ORDER BY trace_id`,
  );
  expect(rows).toEqual([
    { trace_id: 'one', prompt: ['1'] },
    { trace_id: 'two', prompt: ['2'] },
  ]);
});
