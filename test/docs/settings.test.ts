import { expect, test } from 'vitest';
import { settingsTable } from '../../src/settings/settings-table.ts';
import { listFiles, readText, tableOf, uncoded } from '../support/markdown.ts';

const settings = Object.values(settingsTable);

test('the table of docs/settings.md has every setting with its default and description, and no other', () => {
  const documented = tableOf(readText('docs/settings.md'), 'setting').map((cells) =>
    cells.map(uncoded),
  );
  expect(documented).toEqual(
    settings.map((setting) => [setting.name, setting.default ?? '–', setting.description]),
  );
});

test('every name in a document that looks like a setting is one', () => {
  const prefixes = [
    ...new Set(settings.map(({ name }) => name.split('_')[0] ?? '')),
    // First words of old names only.
    ...['INSERTS', 'REQUESTS'],
  ];
  const pattern = new RegExp(`(?<![\\w.])(?:${prefixes.join('|')})(?:_[A-Z]+)+\\b`, 'g');
  const known = settings.map(({ name }): string => name);
  // The changelog also has the old names.
  const documents = listFiles('.md').filter((file) => file !== 'CHANGELOG.md');
  let found = 0;
  for (const file of documents) {
    for (const [name] of readText(file).matchAll(pattern)) {
      expect(known, file).toContain(name);
      found += 1;
    }
  }
  expect(found).toBeGreaterThan(60);
});
