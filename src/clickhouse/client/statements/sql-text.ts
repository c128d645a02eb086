/** Strings, quoted names and comments, in which `;`, `{` and `--` have no meaning of their own. */
const opaque =
  /(?<quoted>'(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*"|`(?:[^`\\]|\\[^]|``)*`|\$(?<tag>\w*)\$[^]*?\$\k<tag>\$)|(?<comment>--[^\n]*|#[ !][^\n]*|\/\*[^]*?\*\/)/g;

/**
 * Removes the comments of ClickHouse SQL and leaves everything else unchanged, line breaks included.
 * @throws {SyntaxError} a string, quoted name or comment is not closed.
 */
export function removeComments(sql: string): string {
  const text = sql.replace(opaque, (match: string, ...rest: unknown[]) => {
    const { comment } = rest.at(-1) as { comment?: string };
    return comment === undefined ? match : match.replace(/[^\n]+/g, '');
  });
  const unclosed = /['"`]|\/\*/.exec(text.replace(opaque, ''));
  if (unclosed !== null) throw new SyntaxError(`${unclosed[0]} is not closed`);
  return text;
}

/**
 * Splits the text of a file into statements, each of which must end with `;`. Comments and the `;` are removed.
 * @throws {SyntaxError} the last statement does not end with `;`, a statement is empty, or there is none.
 */
export function splitStatements(sql: string): string[] {
  const text = removeComments(sql);
  const statements: string[] = [];
  let start = 0;
  for (const match of text.matchAll(new RegExp(`${opaque.source}|;`, 'g'))) {
    if (match[0] !== ';') continue;
    statements.push(text.slice(start, match.index).trim());
    start = match.index + 1;
  }
  if (text.slice(start).trim() !== '')
    throw new SyntaxError('the last statement does not end with ;');
  if (statements.length === 0) throw new SyntaxError('there is no statement');
  if (statements.includes('')) throw new SyntaxError('a statement is empty');
  return statements;
}
