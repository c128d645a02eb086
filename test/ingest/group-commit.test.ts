import { expect, test } from 'vitest';
import { GroupCommit, type GroupLimits } from '../../src/ingest/group-commit.ts';
import { ClickHouseUnavailableError } from '../../src/clickhouse/errors.ts';

interface Item {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

const item = (name: string, rows = 1, bytes = 1): Item => ({ name, rows, bytes });

const limits: GroupLimits = { windowMs: 5, rows: 10, bytes: 1_000, concurrency: 1 };

/** Commits that end when the test says so, in the order in which they began. */
function openCommits(changes: Partial<GroupLimits> = {}) {
  const begun: { names: string; end: () => void; fail: (error: Error) => void }[] = [];
  const commits = new GroupCommit<Item>({ ...limits, ...changes }, (items) => {
    const names = items.map(({ name }) => name).join('');
    return new Promise((end, fail) => begun.push({ names, end, fail }));
  });
  const add = (each: Item): Promise<string> =>
    commits.add(each).then(
      () => 'stored',
      (error: unknown) => (error as Error).message,
    );
  return { begun, add, names: () => begun.map(({ names }) => names) };
}

test('who comes alone is committed at once, time after time', async () => {
  const { begun, add, names } = openCommits({ windowMs: 10_000 });
  for (const name of 'abc') {
    const added = add(item(name));
    expect(names().at(-1)).toBe(name);
    begun.at(-1)?.end();
    expect(await added).toBe('stored');
  }
});

test('who comes while a commit is under way goes into the next one, in order, with all others', async () => {
  const { begun, add, names } = openCommits();
  const added = Array.from('abcd').map((name) => add(item(name)));
  expect(names()).toEqual(['a']);
  begun[0]?.end();
  await expect.poll(names).toEqual(['a', 'bcd']);
  begun[1]?.end();
  expect(await Promise.all(added)).toEqual(['stored', 'stored', 'stored', 'stored']);
});

test('nobody is answered before the commit that holds what it sent has ended', async () => {
  const { begun, add, names } = openCommits();
  let answered = '';
  const first = add(item('a')).then(() => (answered += 'a'));
  const second = add(item('b')).then(() => (answered += 'b'));
  begun[0]?.end();
  await first;
  await expect.poll(names).toEqual(['a', 'b']);
  expect(answered).toBe('a');
  begun[1]?.end();
  await second;
  expect(answered).toBe('ab');
});

test('after a shared commit the next one waits out the window', async () => {
  const { begun, add, names } = openCommits({ windowMs: 100 });
  const added = Array.from('abc').map((name) => add(item(name)));
  begun[0]?.end();
  await expect.poll(names).toEqual(['a', 'bc']);
  const startedAt = performance.now();
  begun[1]?.end();
  await Promise.all(added);
  void add(item('d'));
  void add(item('e'));
  expect(names()).toEqual(['a', 'bc']);
  await expect.poll(names, { interval: 5 }).toEqual(['a', 'bc', 'de']);
  // The poll that saw the second commit may have been 50 ms late.
  expect(performance.now() - startedAt).toBeGreaterThan(40);
});

test.each([
  ['rows', 10, 1],
  ['bytes', 1, 1_000],
])(
  'a commit takes no further request beyond its %s, and a full one does not wait',
  (_, rows, bytes) => {
    const { add, names } = openCommits({ windowMs: 10_000, concurrency: 4 });
    void add(item('a'));
    void add(item('b'));
    expect(names()).toEqual(['a']);
    void add(item('c', rows, bytes));
    // b is full with c behind it; c alone is full too.
    expect(names()).toEqual(['a', 'b', 'c']);
  },
);

test('a request larger than a commit may be is one alone, never split', () => {
  const { begun, add } = openCommits();
  void add(item('a', 1_000, 1_000_000));
  expect(begun.map(({ names }) => names)).toEqual(['a']);
});

test('no more commits are under way than may be', async () => {
  const { begun, add, names } = openCommits({ concurrency: 2, windowMs: 0 });
  for (const name of 'abcd') void add(item(name, 10));
  expect(names()).toEqual(['a', 'b']);
  begun[1]?.end();
  await expect.poll(names).toEqual(['a', 'b', 'c']);
});

test('where one request is refused all others are stored', async () => {
  const committed: string[] = [];
  const commits = new GroupCommit<Item>(limits, (items) => {
    if (items.some(({ name }) => name === 'x')) return Promise.reject(new Error('refused'));
    committed.push(...items.map(({ name }) => name));
    return Promise.resolve();
  });
  const results = await Promise.allSettled(
    Array.from('abcxdef').map((name) => commits.add(item(name))),
  );
  expect(results.map(({ status }) => status)).toEqual([
    ...['fulfilled', 'fulfilled', 'fulfilled'],
    'rejected',
    ...['fulfilled', 'fulfilled', 'fulfilled'],
  ]);
  expect(committed.join('')).toBe('abcdef');
});

test('where ClickHouse is away all requests of the commit are told so, and nothing is tried again', async () => {
  const { begun, add, names } = openCommits();
  const added = Array.from('abc').map((name) => add(item(name)));
  begun[0]?.end();
  await expect.poll(names).toEqual(['a', 'bc']);
  begun[1]?.fail(new ClickHouseUnavailableError('away'));
  expect(await Promise.all(added)).toEqual(['stored', 'away', 'away']);
  expect(names()).toEqual(['a', 'bc']);
});
