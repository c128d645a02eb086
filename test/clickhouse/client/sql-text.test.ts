import { describe, expect, test } from 'vitest';

import { toStatements, withoutComments } from '../../../src/clickhouse/client/sql-text.ts';

describe('taking comments out', () => {
  test('removes all three kinds and keeps the lines', () => {
    const sql = 'SELECT 1 -- one\n, 2 /* two\nlines */, 3 # three\n#! four\n';
    expect(withoutComments(sql)).toBe('SELECT 1 \n, 2 \n, 3 \n\n');
  });

  test('leaves what only looks like one', () => {
    const sql = `SELECT '--', "/*", \`# \`, 'it''s -- \\' /* ', $$ -- $$, $a$ /* $$ $a$, '#1'`;
    expect(withoutComments(sql)).toBe(sql);
  });

  test.each(["SELECT 'open", 'SELECT "open', 'SELECT `open', 'SELECT /* open', "SELECT 'a\\'"])(
    'refuses %s',
    (sql) => {
      expect(() => withoutComments(sql)).toThrow(SyntaxError);
    },
  );
});

describe('splitting a file into statements', () => {
  test('cuts at every ; that is none of a string, name or comment', () => {
    const sql = `
      -- first; really
      CREATE TABLE a (b String DEFAULT ';', \`c;d\` Int8) ENGINE = Memory; -- done;
      INSERT INTO a VALUES ('x''; y', 1);SELECT $$;$$;`;
    expect(toStatements(sql)).toEqual([
      "CREATE TABLE a (b String DEFAULT ';', `c;d` Int8) ENGINE = Memory",
      "INSERT INTO a VALUES ('x''; y', 1)",
      'SELECT $$;$$',
    ]);
  });

  test.each([
    ['no statement', ''],
    ['only a comment', '-- nothing;'],
    ['a last statement without ;', 'SELECT 1; SELECT 2'],
    ['an empty statement', 'SELECT 1;; SELECT 2;'],
    ['an open string', "SELECT 'a;"],
  ])('refuses a file with %s', (_, sql) => {
    expect(() => toStatements(sql)).toThrow(SyntaxError);
  });
});
