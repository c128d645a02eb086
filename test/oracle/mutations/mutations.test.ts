import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { mutations } from './mutations.ts';

test.each(mutations)('the mutation "$name" finds the text that it replaces', ({ changes }) => {
  expect(changes.length).toBeGreaterThan(0);
  const texts = new Map<string, string>();
  for (const { file, find, replace } of changes) {
    const text =
      texts.get(file) ?? readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
    expect(text, file).toContain(find);
    texts.set(file, text.replaceAll(find, replace));
  }
});
