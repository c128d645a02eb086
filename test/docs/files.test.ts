import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settingsTable } from '../../src/settings/settings-table.ts';
import {
  headingsOf,
  isPresent,
  listFiles,
  readText,
  tableOf,
  withoutCode,
} from '../support/markdown.ts';

const documents = listFiles('.md');

/** Lower bounds, so that the tests of names do not pass because a pattern matches nothing. */
const minNamesInSources = 25;
const minNamesInDocuments = 20;

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

/** The anchor that GitHub generates for a heading. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

describe('links', () => {
  test('every link to a file has a target', () => {
    expect(links.length).toBeGreaterThan(80);
    const broken = links.filter(({ path }) => !isPresent(path));
    expect(broken).toEqual([]);
  });

  test('every link to a heading has a target', () => {
    const toHeadings = links.filter(({ anchor }) => anchor !== '');
    expect(toHeadings.length).toBeGreaterThan(8);
    const broken = toHeadings.filter(
      ({ path, anchor }) => !headingsOf(readText(path)).map(toAnchor).includes(anchor),
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

  test('the index of docs/ has every document in it', () => {
    const indexed = linksOf('docs/README.md').map(({ path }) => path);
    const inDocs = documents.filter((path) => /^docs\/[\w-]+\.md$/.test(path));
    const others = inDocs.filter((path) => path !== 'docs/README.md');
    expect(others.length).toBeGreaterThan(8);
    expect(indexed).toEqual(expect.arrayContaining(others));
  });

  test('the index of docs/decisions/ has every decision record with its title', () => {
    const index = tableOf(readText('docs/decisions/README.md'), 'number').map(
      ([link = '', title = '']) => [/\(([\w.-]+)\)/.exec(link)?.[1], title],
    );
    const records = documents.filter((path) => /decisions\/\d+/.test(path)).sort();
    const titles = records.map((path) => [
      posix.basename(path),
      (headingsOf(readText(path))[0] ?? '').replace(/^\d+\. /, ''),
    ]);
    expect(index).toEqual(titles);
  });
});

describe('names of files', () => {
  test('every document, SQL file and contract that a source file names exists', () => {
    const pattern =
      /\b(?:(?:docs|bench)\/[\w./-]+\.md|sql\/[\w./-]+\.(?:md|sql)|openapi\/[\w.-]+\.yaml)/g;
    // Migrations are left out: their text is fixed by their checksums, also where it names a file that was renamed since.
    const sources = [
      ...listFiles('.ts'),
      ...listFiles('.js'),
      ...listFiles('.sql', 'sql/queries/'),
    ];
    const names = sources.flatMap((source) =>
      [...readText(source).matchAll(pattern)].map(([path]) => ({ source, path })),
    );
    expect(names.length).toBeGreaterThan(minNamesInSources);
    expect(names.filter(({ path }) => !isPresent(path))).toEqual([]);
  });

  test('every source file that a document names exists', () => {
    const pattern = /`((?:src|sql|cli|demo|bench|test|docs|openapi)\/[\w./-]+\.\w+)`/g;
    const names = documents.flatMap((document) =>
      [...readText(document).matchAll(pattern)].map(([, path = '']) => ({ document, path })),
    );
    expect(names.length).toBeGreaterThan(minNamesInDocuments);
    expect(names.filter(({ path }) => !isPresent(path))).toEqual([]);
  });

  test('every query and every migration is in a document', () => {
    const queries = listFiles('.sql', 'sql/queries/').filter(
      (path) => !path.includes('/fragments/'),
    );
    const files = [...queries, ...listFiles('.sql', 'sql/migrations/')];
    const texts = documents.map(readText);
    expect(files.length).toBeGreaterThan(15);
    const isNamed = (file: string) => texts.some((text) => text.includes(posix.basename(file)));
    expect(files.filter((file) => !isNamed(file))).toEqual([]);
  });

  test('every query that a document names exists', () => {
    const queries = listFiles('.sql', 'sql/').map((path) => posix.basename(path));
    const names = documents.flatMap((document) =>
      [...readText(document).matchAll(/(?<![\w-])(?:[a-z]\w*|\d{4}_\w+)\.sql\b/g)].map(
        ([name]) => name,
      ),
    );
    expect(names.length).toBeGreaterThan(40);
    const known = [...queries, '0001_what_it_does.sql'];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('docker-compose.yml and .env.example', () => {
  const compose = readText('docker-compose.yml');
  const example = readText('.env.example');

  test('.env.example has every variable of docker-compose.yml, and no other', () => {
    const variables = [...compose.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    const documented = [...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(documented.sort()).toEqual([...new Set(variables)].sort());
  });

  test('a variable that docker-compose.yml passes to the service has the name of its setting', () => {
    const settings = Object.values(settingsTable).map(({ name }): string => name);
    const passed = [...compose.matchAll(/^ {6}([A-Z_]+): \$\{([A-Z_]+)/gm)];
    expect(passed.length).toBeGreaterThan(2);
    for (const [, name, variable] of passed) {
      expect(variable).toBe(name);
      expect(settings).toContain(name);
    }
  });
});
