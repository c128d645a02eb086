import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { createUsageReader } from '../../src/usage/usage-reader.ts';
import { looseEndRow, type Row, startRow, wholeRow } from '../sql/part-rows.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { spent } from './asking.ts';

let opened: TestEngine;
/** The queries that were sent to ClickHouse, in order. */
let sent: string[] = [];
let engine: Pick<Engine, 'read'>;
beforeAll(async () => {
  opened = await openTestEngine();
  engine = {
    read: (name, ...rest) => {
      sent.push(name);
      return opened.engine.read(name, ...rest);
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
const root = { id: 'root', usage: spent(10) };
const child = { id: 'child', parent: 'root', usage: spent(3) };

describe('one round trip to ClickHouse', () => {
  test('answers for plain traces, every time', async () => {
    await insert(wholeRow('p/plain', root), wholeRow('p/plain', child));
    const reader = newReader();
    for (let time = 0; time < 3; time += 1) {
      expect(await ask(reader, 'p/plain')).toEqual({ prompt: 10 + 3, by: ['calls_usage_plain'] });
    }
  });

  test('answers for calls that are not there', async () => {
    expect(await ask(newReader(), 'p/nobody')).toEqual({ prompt: 0, by: ['calls_usage_plain'] });
  });

  test('answers for any project that was found not to be plain before', async () => {
    await insert(
      wholeRow('p/rolled', root, rolledUp),
      wholeRow('p/rolled', child, rolledUp),
      startRow('p/loose', root),
      looseEndRow('p/loose', root),
    );
    const reader = newReader();
    const both = ['calls_usage_plain', 'calls_usage'];
    // The root's 10 tokens hold the child's 3.
    expect(await ask(reader, 'p/rolled')).toEqual({ prompt: 10, by: both });
    expect(await ask(reader, 'p/rolled')).toEqual({ prompt: 10, by: ['calls_usage'] });
    expect(await ask(reader, 'p/loose')).toEqual({ prompt: 10, by: both });
    expect(await ask(reader, 'p/loose')).toEqual({ prompt: 10, by: ['calls_usage'] });
  });
});

test('a project that ceases to be plain is answered rightly from then on', async () => {
  const reader = newReader();
  await insert(wholeRow('p/later', child));
  await insert(startRow('p/later', { id: 'root' }));
  expect(await ask(reader, 'p/later')).toEqual({ prompt: 3, by: ['calls_usage_plain'] });
  await insert(looseEndRow('p/later', root));
  expect((await ask(reader, 'p/later')).prompt).toBe(10 + 3);
  await insert(wholeRow('p/later', { id: 'leaf', parent: 'child', usage: spent(2) }, rolledUp));
  await insert(startRow('p/later', child, rolledUp));
  // The child's 3 tokens hold the leaf's 2; the root is not rolled up.
  expect((await ask(reader, 'p/later')).prompt).toBe(10 + 3);
});

test('what one project needs is not asked for others', async () => {
  const reader = newReader();
  await insert(wholeRow('p/one', root, rolledUp), wholeRow('p/two', root));
  await ask(reader, 'p/one');
  expect((await ask(reader, 'p/two')).by).toEqual(['calls_usage_plain']);
});
