import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { createUsageReader } from '../../src/usage/usage-reader.ts';
import { deletionRow, looseEndRow, type Row, startRow, wholeRow } from '../sql/part-rows.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { spent } from './asking.ts';

let opened: TestEngine;
/** The queries that were sent to ClickHouse, in order. */
let sent: string[] = [];
let engine: Pick<Engine, 'read' | 'write'>;
beforeAll(async () => {
  opened = await openTestEngine();
  engine = {
    read: (name, ...rest) => {
      sent.push(name);
      return opened.engine.read(name, ...rest);
    },
    write: (name, ...rest) => {
      sent.push(name);
      return opened.engine.write(name, ...rest);
    },
  };
});
afterAll(() => opened.close());

type Reader = ReturnType<typeof createUsageReader>;

/** Asks of the call `root` and returns its prompt tokens, and with which queries they were read. */
async function ask(reader: Reader, project_id: string): Promise<{ prompt: number; by: string[] }> {
  sent = [];
  const parameters = { project_id, call_ids: ['root'], include_costs: false };
  const rows = await reader(parameters, new AbortController().signal);
  const prompt = rows.reduce((sum, row) => sum + Number(row.prompt_tokens), 0);
  return { prompt, by: sent };
}

const newReader = (): Reader => createUsageReader(engine as Engine);

async function insert(...rows: readonly Row[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

const rolledUp = { attributes_dump: '{"weave":{"usage_rollup":"rolled_up"}}' };
const [first, second] = ['2026-01-31 12:00:00.000000', '2026-01-31 12:00:01.000000'];
const root = { id: 'root', startedAt: first, usage: spent(10) };
const child = { id: 'child', parent: 'root', startedAt: second, usage: spent(3) };
const [roots, rolledUpRoots, tree] = [
  'calls_usage_roots',
  'calls_usage_rolled_up_roots',
  'calls_usage',
];
const lookForEnds = 'loose_ends_of_calls';

describe('one round trip to ClickHouse', () => {
  test('answers for whole traces whose usage is not rolled up', async () => {
    await insert(wholeRow('p/plain', root), wholeRow('p/plain', child));
    const reader = newReader();
    for (let time = 0; time < 3; time += 1) {
      expect(await ask(reader, 'p/plain')).toEqual({ prompt: 10 + 3, by: [roots] });
    }
  });

  test('answers for whole traces whose usage is, once that is known of the project', async () => {
    await insert(wholeRow('p/rolled', root, rolledUp), wholeRow('p/rolled', child, rolledUp));
    const reader = newReader();
    // The root's 10 tokens hold the child's 3.
    expect(await ask(reader, 'p/rolled')).toEqual({ prompt: 10, by: [roots, rolledUpRoots] });
    expect(await ask(reader, 'p/rolled')).toEqual({ prompt: 10, by: [rolledUpRoots] });
  });
});

test('other calls are answered by walking the tree', async () => {
  const reader = newReader();
  await insert(wholeRow('p/inner', child), wholeRow('p/inner', { ...root, parent: 'above' }));
  expect(await ask(reader, 'p/inner')).toEqual({ prompt: 10 + 3, by: [roots, tree] });
  expect(await ask(reader, 'p/nobody')).toEqual({ prompt: 0, by: [roots, tree] });
});

describe('an end that came before its start and without a trace id', () => {
  test('is found when a question meets the call without it, and belongs to it from then on', async () => {
    await insert(looseEndRow('p/loose', root), startRow('p/loose', root));
    const reader = newReader();
    const by = [roots, lookForEnds, 'attach_loose_ends', roots];
    expect(await ask(reader, 'p/loose')).toEqual({ prompt: 10, by });
    expect(await ask(newReader(), 'p/loose')).toEqual({ prompt: 10, by: [roots] });
  });

  test('is not looked for where no call lacks one, and looked for once where there is none', async () => {
    await insert(startRow('p/open', root), looseEndRow('p/open', child));
    expect(await ask(newReader(), 'p/open')).toEqual({ prompt: 0, by: [roots, lookForEnds] });
  });

  test('is found too where its call is deleted, as its usage has to leave the parent’s', async () => {
    await insert(
      wholeRow('p/gone', root, rolledUp),
      startRow('p/gone', child, rolledUp),
      looseEndRow('p/gone', child),
      deletionRow('p/gone', child),
    );
    const by = [roots, rolledUpRoots, tree, lookForEnds, 'attach_loose_ends', rolledUpRoots, tree];
    // The root's 10 tokens hold the deleted child's 3.
    expect(await ask(newReader(), 'p/gone')).toEqual({ prompt: 10 - 3, by });
  });
});

test('a project that begins to roll usage up is answered rightly from then on', async () => {
  const reader = newReader();
  await insert(wholeRow('p/later', root), wholeRow('p/later', child));
  expect(await ask(reader, 'p/later')).toEqual({ prompt: 10 + 3, by: [roots] });
  const leaf = { id: 'leaf', parent: 'child', startedAt: second, usage: spent(2) };
  await insert(wholeRow('p/later', leaf, rolledUp), startRow('p/later', child, rolledUp));
  // The child's 3 tokens hold the leaf's 2; the root is not rolled up.
  expect((await ask(reader, 'p/later')).prompt).toBe(10 + 3);
});

test('what one project needs is not asked for others', async () => {
  const reader = newReader();
  await insert(wholeRow('p/one', root, rolledUp), wholeRow('p/two', root));
  await ask(reader, 'p/one');
  expect((await ask(reader, 'p/two')).by).toEqual([roots]);
});
