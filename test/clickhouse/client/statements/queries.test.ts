import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

import { describe, expect, test } from 'vitest';

import { bindParameters } from '../../../../src/clickhouse/client/statements/bind-parameters.ts';
import { runInSlices } from '../../../../src/slices/run-in-slices.ts';
import {
  parseQuery,
  queryPaths,
  readQueries,
} from '../../../../src/clickhouse/client/statements/queries.ts';

describe('queries', () => {
  test('are listed exactly as the files of sql/queries', () => {
    const files = readdirSync(new URL('../../../../sql/queries/', import.meta.url), {
      recursive: true,
      encoding: 'utf8',
    }).filter((file) => file.endsWith('.sql') && !file.startsWith('fragments/'));
    expect([...queryPaths.values()].sort()).toEqual(files.sort());
    expect([...readQueries().keys()]).toEqual([...queryPaths.keys()]);
  });

  test('know the type of each of their parameters', () => {
    const sql = `-- {no: String}
      SELECT {a: String}, { b:Array( Tuple(String, DateTime64(6, 'UTC')) ) }, {a: String};`;
    const query = parseQuery('q', sql);
    expect([...query.parameters]).toEqual([
      ['a', 'String'],
      ['b', "Array( Tuple(String, DateTime64(6, 'UTC')) )"],
    ]);
    expect(query.text).not.toMatch(/;$/);
  });

  test('with two types for one parameter are refused', () => {
    const parse = (): unknown => parseQuery('q', 'SELECT {a: String}, {a: UInt8}');
    expect(parse).toThrow('Query q: {a} is both String and UInt8.');
  });

  test('with an unclosed string are refused', () => {
    expect(() => parseQuery('q', "SELECT 'a")).toThrow("Query q: ' is not closed.");
  });
});

describe('a fragment', () => {
  test('is included in a statement together with its parameters', () => {
    const fragments = new Map([
      ['outer', '-- why\n{include inner} + 1'],
      ['inner', '{a: UInt8}'],
    ]);
    const query = parseQuery('q', 'SELECT {include outer}', fragments);
    expect(query.text).toBe('SELECT {a: UInt8} + 1');
    expect([...query.parameters]).toEqual([['a', 'UInt8']]);
  });

  test('that is unknown is refused', () => {
    expect(() => parseQuery('q', '{include a}')).toThrow('Query q: there is no fragment a.');
  });

  test('of sql/queries/fragments is included by at least two statements', () => {
    const folder = new URL('../../../../sql/queries/', import.meta.url);
    const sql = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.sql'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const fragments = readdirSync(new URL('fragments/', folder), {
      recursive: true,
      encoding: 'utf8',
    })
      .filter((file) => file.endsWith('.sql'))
      .map((file) => posix.basename(file, '.sql'));
    expect(fragments.length).toBeGreaterThan(0);
    expect(new Set(fragments).size).toBe(fragments.length);
    for (const fragment of fragments) {
      const inclusion = `{include ${fragment}}`;
      expect(sql.join('\n').split(inclusion).length - 1, fragment).toBeGreaterThan(1);
    }
  });
});

describe('binding parameters', () => {
  const query = parseQuery('q', 'SELECT {id: String}, {ids: Array(String)}, {ids: Array(String)}');

  test.each([
    ['missing', { id: 'a' }, 'Query q: parameter ids is missing.'],
    ['undefined', { id: undefined, ids: [] }, 'Query q: parameter id is missing.'],
    ['unknown', { id: 'a', ids: [], more: 1 }, 'Query q: unknown parameter more.'],
    ['inherited', Object.create({ id: 'a', ids: [] }) as object, 'parameter id is missing'],
  ])('refuses a value that is %s', async (_, parameters, message) => {
    const bind = bindParameters(query, parameters as Record<string, unknown>);
    const binding = runInSlices(bind);
    await expect(binding).rejects.toThrow(TypeError);
    await expect(binding).rejects.toThrow(message);
  });

  test('leaves short values unchanged', async () => {
    const values = { id: '', ids: ['a', 'b'] };
    expect(await runInSlices(bindParameters(query, values))).toEqual({ text: query.text, values });
  });

  test('splits long values into parameters that ClickHouse accepts', async () => {
    const ids = Array.from(
      { length: 10_000 },
      (_, index) => `id-${String(index).padStart(30, "'")}`,
    );
    const long = { id: 'é😀'.repeat(50_000), ids };
    const { text, values } = await runInSlices(bindParameters(query, long));
    const pieces = Object.entries(values);
    const texts = pieces.filter(([name]) => /^id(__|$)/.test(name)).map(([, value]) => value);
    const arrays = pieces.filter(([name]) => /^ids(__|$)/.test(name)).map(([, value]) => value);
    expect(texts.join('')).toBe('é😀'.repeat(50_000));
    expect(arrays.flat()).toEqual(ids);
    expect(text).toContain('concat({id: String}, {id__1: String}');
    expect(text.match(/arrayConcat\(\{ids: Array\(String\)\}, /g)).toHaveLength(2);
    for (const [, value] of pieces) {
      expect(Buffer.byteLength(JSON.stringify(value).replaceAll("'", "\\'"))).toBeLessThan(131_072);
    }
  });

  test('splits a long text in an array', async () => {
    const long = { id: '', ids: ['a', 'x'.repeat(70_000), 'b'] };
    const { text, values } = await runInSlices(bindParameters(query, long));
    expect(text).toContain(
      'arrayConcat({ids: Array(String)}, [concat({ids__1: String}, {ids__2: String})], {ids__3: Array(String)})',
    );
    expect(values['ids__3']).toEqual(['b']);
  });
});
