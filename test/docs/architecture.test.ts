import { describe, expect, test } from 'vitest';
import {
  headingsOf,
  isPresent,
  listFiles,
  readText,
  sectionOf,
  tableOf,
} from '../support/markdown.ts';

const architecture = readText('docs/architecture.md');

test('docs/architecture.md opens with the glossary', () => {
  expect(headingsOf(architecture).slice(0, 2)).toEqual(['Architecture', 'Glossary']);
  expect(tableOf(architecture, 'term').length).toBeGreaterThan(30);
});

describe('the steps of requests', () => {
  const steps = [
    'A usage request, step by step',
    'A batch of parts, step by step',
    'The write that a read may cause',
  ]
    .map((heading) => sectionOf(architecture, heading))
    .join('\n');

  test('every function is in the file that is named before it', () => {
    const functions = [...steps.matchAll(/`(src\/[\w./-]+\.ts)`,\s`([\w.#]+)`/g)].map(
      ([, path = '', name = '']) => ({ path, name }),
    );
    expect(functions.length).toBeGreaterThan(18);
    const missing = functions.filter(({ path, name }) => {
      if (!isPresent(path)) return true;
      const text = readText(path);
      return !name.split('.').every((part) => new RegExp(`(?<![\\w$])${part}\\b`).test(text));
    });
    expect(missing).toEqual([]);
  });

  test('every query of ingestion and usage requests is named', () => {
    const queries = listFiles('.sql', 'sql/queries/usage/').map(
      (path) => path.split('/').at(-1) ?? '',
    );
    expect(queries.length).toBeGreaterThan(4);
    expect(queries.filter((query) => !steps.includes(query))).toEqual([]);
  });
});

test('every folder of src is described', () => {
  const folders = new Set(
    listFiles('.ts', 'src/').flatMap((path) => /^src\/\w+(?=\/)/.exec(path) ?? []),
  );
  expect(folders.size).toBeGreaterThan(4);
  const layers = sectionOf(architecture, 'Layers');
  expect([...folders].filter((folder) => !layers.includes(`**\`${folder}\`**`))).toEqual([]);
});
