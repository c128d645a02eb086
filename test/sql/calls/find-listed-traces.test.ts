import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { findListedTraces, type ListPlace } from '../../../src/usage/lists/find-listed-traces.ts';
import type { ListParameters } from '../../../src/usage/lists/list-filter.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { listParameters } from '../../support/rows/list-parameters.ts';
import { findUnrolled, rollUpTraces } from '../../support/rollups/roll-up.ts';
import { randomSeed as seed } from '../../support/random-seed.ts';
import { mixedTraces, toRows } from '../../usage/lists/mixed-traces.ts';

const database = clickhouseFixture();
const [traces = []] = fc.sample(mixedTraces, { seed, numRuns: 1 });
const rulesVersion = readRulesVersion();

interface Listed {
  readonly trace_id: string;
  readonly key: string;
  readonly sort_us: string;
}

const list = (parameters: object): Promise<Listed[]> =>
  database.clickhouse.read<Listed>('list_calls', parameters as Record<string, unknown>);

const firstUs = BigInt(Date.parse('2026-03-01T00:00:00Z')) * 1_000n;
const time = fc
  .integer({ min: -60, max: 5 * 24 * 60 })
  .map((n) => firstUs + BigInt(n) * 60_000_000n);
const range = fc
  .tuple(time, time)
  .map(([a, b]): readonly [bigint, bigint] => (a < b ? [a, b] : [b, a]));

/** Filters of names and times, and a page. */
const requests = fc.record({
  direction: fc.constantFrom<1 | -1>(1, -1),
  trace_roots_only: fc.boolean(),
  ranges: fc.option(fc.array(range, { minLength: 0, maxLength: 3 })),
  op_names: fc.constantFrom<string[]>([], [], ['op 2'], ['op 0', 'none']),
  op_name_prefixes: fc.constantFrom<string[]>([], [], ['op 1']),
  max_calls: fc.integer({ min: 1, max: 40 }),
  offset: fc.constantFrom(0, 0, 1, 17),
  pages: fc.integer({ min: 1, max: 4 }),
});
type Request = typeof requests extends fc.Arbitrary<infer Value> ? Value : never;

function toParameters(project: string, request: Request): ListParameters & ListPlace {
  const { ranges, pages: _, ...rest } = request;
  const all = listParameters(project);
  const times = ranges && {
    has_times: true,
    start_from: ranges.map(([from]) => from),
    start_to: ranges.map(([, to]) => to),
    states: ranges.map(() => 0),
    end_from: ranges.map(() => all.end_from[0] ?? 0n),
    end_to: ranges.map(() => all.end_to[0] ?? 0n),
  };
  return { ...all, ...times, ...rest };
}

function toNextPage(parameters: ListPlace, page: readonly Listed[]): Partial<ListPlace> {
  const last = page.at(-1);
  if (last === undefined) return parameters;
  const after = { after_us: last.sort_us, after_trace: last.trace_id, after_key: last.key };
  return { is_continued: true, ...after, offset: 0 };
}

test.each(['all', 'half', 'none'] as const)(
  `finds the traces of each page, while %s of them are rolled up (seed ${seed})`,
  { timeout: 120_000 },
  async (rolledUp) => {
    const project = `p/${rolledUp}`;
    await database.insert('call_parts', toRows(project, traces));
    const unrolled = await findUnrolled(database, project);
    const count = { all: unrolled.length, half: unrolled.length / 2, none: 0 }[rolledUp];
    await rollUpTraces(database, unrolled.slice(0, count));
    const live = new Set((await findUnrolled(database, project)).map(({ trace_id }) => trace_id));

    let [limited, found] = [0, 0];
    for (const request of fc.sample(requests, { seed, numRuns: 25 })) {
      let parameters = toParameters(project, request);
      for (let number = 0; number < request.pages; number += 1) {
        const page = await list(parameters);
        const asked = { filter: parameters, place: parameters };
        const candidates = await findListedTraces(database.clickhouse, rulesVersion, asked, {});
        const { traceIds = [], isAll = false } = candidates ?? {};
        const same = await list({ ...parameters, has_trace_ids: true, trace_ids: traceIds });
        expect(same, fc.stringify(request)).toEqual(page);
        // Only all traces can say that a list ends.
        if (page.length < request.max_calls) expect(isAll).toBe(true);
        expect([...live].filter((trace) => !traceIds.includes(trace))).toEqual([]);
        if (!isAll) limited += 1;
        found += page.length;
        parameters = { ...parameters, ...toNextPage(parameters, page) };
      }
    }
    expect(found).toBeGreaterThan(traces.length);
    expect(limited > 0).toBe(rolledUp !== 'none');
  },
);

test.each<[string, object]>([
  ['by end', { by_end: true }],
  ['of calls that have not ended', { states: [2] }],
  ['of some traces', { has_trace_ids: true, trace_ids: ['t'] }],
  ['of a run', { wb_run_ids: ['run'] }],
])('does not know about lists %s', async (_, more) => {
  const parameters = { ...toParameters('p/other', whole), ...more };
  const asked = { filter: parameters, place: parameters };
  expect(await findListedTraces(database.clickhouse, rulesVersion, asked, {})).toBeNull();
});

const whole: Request = {
  ...{ direction: 1, trace_roots_only: false, ranges: null, op_names: [], op_name_prefixes: [] },
  ...{ max_calls: 1, offset: 0, pages: 1 },
};
