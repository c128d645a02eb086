import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settingsTable } from '../../src/settings.ts';
import { headingsOf, isThere, listFiles, readText, withoutCode } from '../support/markdown.ts';

const documents = listFiles('.md');

interface Link {
  readonly from: string;
  readonly to: string;
  /** From the root of the repository. */
  readonly path: string;
  readonly anchor: string;
}

/** Links of a document to files of the repository or to headings. */
function linksOf(from: string): Link[] {
  const text = withoutCode(readText(from));
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, to = '']) => to)
    .filter((to) => !/^[a-z]+:/.test(to))
    .map((to) => {
      const [file = '', anchor = ''] = to.split('#');
      const path = file === '' ? from : posix.join(posix.dirname(from), file);
      return { from, to, path, anchor };
    });
}

const links = documents.flatMap(linksOf);

/** As GitHub makes it of a heading. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

describe('links', () => {
  test('every link to a file leads to one', () => {
    expect(links.length).toBeGreaterThan(30);
    const broken = links.filter(({ path }) => !isThere(path));
    expect(broken).toEqual([]);
  });

  test('every link to a heading leads to one', () => {
    const broken = links.filter(
      ({ path, anchor }) =>
        anchor !== '' && !headingsOf(readText(path)).map(toAnchor).includes(anchor),
    );
    expect(broken).toEqual([]);
  });

  test('every document can be reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const from of reached) {
      for (const { path } of linksOf(from)) if (path.endsWith('.md')) reached.add(path);
    }
    expect([...reached].sort()).toEqual(documents.sort());
  });

  test('every document that a comment names is there', () => {
    const named = /\b(?:docs\/[\w./-]+\.md|sql\/[\w./-]+\.(?:md|sql)|openapi\/[\w.-]+\.yaml)/g;
    for (const source of [...listFiles('.ts'), ...listFiles('.sql', 'sql/')]) {
      const missing = [...readText(source).matchAll(named)].filter(([path]) => !isThere(path));
      expect(missing.map(String), source).toEqual([]);
    }
  });
});

describe('SQL', () => {
  test('every query and every migration is named in the docs', () => {
    const text = documents.map(readText).join('\n');
    const files = [...listFiles('.sql', 'sql/queries/'), ...listFiles('.sql', 'sql/migrations/')];
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) expect(text, file).toContain(posix.basename(file));
  });
});

describe('docker-compose.yml and .env.example', () => {
  const compose = readText('docker-compose.yml');
  const example = readText('.env.example');

  test('.env.example holds every variable of docker-compose.yml, and no other', () => {
    const used = [...compose.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    const given = [...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(given.sort()).toEqual([...new Set(used)].sort());
  });

  test('what .env hands on to the service has the name of its setting', () => {
    const settings = Object.values(settingsTable).map(({ name }): string => name);
    const handedOn = [...compose.matchAll(/^ {6}([A-Z_]+): \$\{([A-Z_]+)/gm)];
    expect(handedOn.length).toBeGreaterThan(2);
    for (const [, name, variable] of handedOn) {
      expect(variable).toBe(name);
      expect(settings).toContain(name);
    }
  });
});
