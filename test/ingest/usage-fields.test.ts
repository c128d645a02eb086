import { beforeAll, describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { readText, tableOf } from '../support/markdown.ts';

interface FurtherName {
  readonly counter: string;
  readonly position: number;
  /** As in docs/usage-fields.md: `a.b`, or `a[b=c].d` for elements of an array. */
  readonly path: string;
}

interface Entry {
  readonly counters: readonly number[];
  readonly facts: number;
}

/** Bits of `facts`. */
const hasThoughts = 4;
const countsCacheBeside = 8;

const names: readonly FurtherName[] = tableOf(readText('docs/usage-fields.md'), 'counter').flatMap(
  ([counter = '', position = '', paths = '']) =>
    [...paths.matchAll(/`([^`]+)`/g)].map(([, path = '']) => ({
      counter,
      position: Number(position),
      path,
    })),
);

/** A usage object that has a value at a path only. */
function toUsage(path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  const inner = rest.length === 0 ? value : toUsage(rest.join('.'), value);
  const [, array, key, wanted] = /^(\w+)\[(\w+)=(\w+)\]$/.exec(first) ?? [];
  if (array === undefined || key === undefined) return { [first]: inner };
  return {
    [array]: [
      { [key]: 'other', ...toUsage(rest.join('.'), 99) },
      { [key]: wanted, ...(inner as object) },
    ],
  };
}

const usageClient = usageClientFixture();
const entries = new Map<string, Entry>();

/** What each further name becomes alone, and beside a field of call-parts.md that takes precedence. */
beforeAll(async () => {
  const project = usageClient.newProject();
  await project.sendCompleteCalls(
    ...names.map(({ path }) => ({ id: path, usage: { m: { requests: 1, ...toUsage(path, 7) } } })),
    ...names.map(({ path }) => ({
      id: `none of ${path}`,
      usage: { m: { requests: 1, ...toUsage(path, 'seven') } },
    })),
  );
  const rows = await usageClient.clickhouse.query<{
    id: string;
    counters: (string | number)[];
    facts: number;
  }>(
    `SELECT id, usage_fields[1].2 AS counters, usage_fields[1].4 AS facts
     FROM call_parts WHERE project_id = {project: String}`,
    { project: project.id },
  );
  for (const { id, counters, facts } of rows) {
    entries.set(id, { counters: counters.map(Number), facts });
  }
});

describe('the further name', () => {
  test.each(names)(
    '$path is read into position $position ($counter)',
    ({ counter, path, position }) => {
      const { counters = [], facts = 0 } = entries.get(path) ?? {};
      const read = counters.flatMap((value, index) => (value === 7 ? [index + 1] : []));
      expect(read).toEqual([position]);
      expect((facts & countsCacheBeside) > 0).toBe(counter.includes('beside'));
      expect((facts & hasThoughts) > 0).toBe(counter === 'thoughts');
    },
  );

  test.each(names)('$path with a text that is no number is not read', ({ path }) => {
    const { counters = [] } = entries.get(`none of ${path}`) ?? {};
    expect(counters.filter((value) => value === 7)).toEqual([]);
    expect(counters[25], 'unknown requests').toBe(1);
  });
});

test('the table of further names has no name twice', () => {
  const paths = names.map(({ path }) => path);
  expect(paths.length).toBeGreaterThan(80);
  expect(new Set(paths).size).toBe(paths.length);
});
