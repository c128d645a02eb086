import { describe, expect, test } from 'vitest';

import {
  splitStatements,
  removeComments,
} from '../../../../src/clickhouse/client/statements/sql-text.ts';

describe('removing comments', () => {
  test('removes all three kinds and keeps the lines', () => {
    const sql = 'SELECT 1 -- one\n, 2 /* two\nlines */, 3 # three\n#! four\n';
    expect(removeComments(sql)).toBe('SELECT 1 \n, 2 \n, 3 \n\n');
  });

  test('leaves strings and quoted names that contain comment markers', () => {
    const sql = `SELECT '--', "/*", \`# \`, 'it''s -- \\' /* ', $$ -- $$, $a$ /* $$ $a$, '#1'`;
    expect(removeComments(sql)).toBe(sql);
  });

  test.each(["SELECT 'open", 'SELECT "open', 'SELECT `open', 'SELECT /* open', "SELECT 'a\\'"])(
    'refuses an unclosed quote or comment: %s',
    (sql) => {
      expect(() => removeComments(sql)).toThrow(SyntaxError);
    },
  );
});

describe('splitting a file into statements', () => {
  test('splits at each ; outside of strings, names and comments', () => {
    const sql = `
      -- first; really
      CREATE TABLE a (b String DEFAULT ';', \`c;d\` Int8) ENGINE = Memory; -- done;
      INSERT INTO a VALUES ('x''; y', 1);SELECT $$;$$;`;
    expect(splitStatements(sql)).toEqual([
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
    ['an unclosed string', "SELECT 'a;"],
  ])('refuses a file with %s', (_, sql) => {
    expect(() => splitStatements(sql)).toThrow(SyntaxError);
  });
});
