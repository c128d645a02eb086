import { existsSync, readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** Directories that are not part of the repository. */
const ignoredDirectories = new Set(['node_modules', '.git', 'data', 'coverage', 'dist']);

/** Reads a file by its path from the root of the repository. */
export function readText(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** Whether the repository has a file or directory with this path. */
export function isPresent(path: string): boolean {
  return existsSync(new URL(path, root));
}

/** Paths of all files in a directory and its subdirectories with this extension; by default in the repository. */
export function listFiles(extension: string, directory = ''): string[] {
  return readdirSync(new URL(directory || '.', root), { withFileTypes: true })
    .filter(({ name }) => !ignoredDirectories.has(name))
    .flatMap((entry) => {
      const path = `${directory}${entry.name}`;
      if (entry.isDirectory()) return listFiles(extension, `${path}/`);
      return path.endsWith(extension) ? [path] : [];
    });
}

/** A heading and the text after it, up to the next heading of the same or a higher level. */
export function sectionOf(text: string, heading: string): string {
  const lines = withoutCode(text).split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && titleOf(line) === heading);
  if (start === -1) throw new Error(`The document has no heading ${heading}.`);
  const level = levelOf(lines[start] ?? '');
  const length = lines.slice(start + 1).findIndex((line) => {
    return /^#+ /.test(line) && levelOf(line) <= level;
  });
  const end = length === -1 ? lines.length : start + 1 + length;
  return text.split('\n').slice(start, end).join('\n');
}

/** The titles of all headings. */
export function headingsOf(text: string): string[] {
  return withoutCode(text)
    .split('\n')
    .filter((line) => /^#+ /.test(line))
    .map(titleOf);
}

/** The rows, without the header, of the first table whose first column has this title. */
export function tableOf(text: string, firstColumn: string): string[][] {
  const lines = text.split('\n');
  const header = lines.findIndex((line) => line.startsWith(`| ${firstColumn} |`));
  if (header === -1) throw new Error(`The document has no table with first column ${firstColumn}.`);
  const body = lines.slice(header + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end === -1 ? body.length : end).map(toCells);
}

/** The code blocks of a language. */
export function codeIn(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter(([, blockLanguage]) => blockLanguage === language)
    .map(([, , code = '']) => code);
}

/** The text with all lines of code blocks emptied, so that line numbers stay the same. */
export function withoutCode(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, (block) => block.replace(/[^\n]/g, ''));
}

/** The content of a table cell without its backticks. */
export function uncoded(cell: string): string {
  return /^`(.*)`$/.exec(cell)?.[1] ?? cell;
}

function toCells(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

function levelOf(heading: string): number {
  return heading.indexOf(' ');
}

function titleOf(heading: string): string {
  return heading.replace(/^#+ /, '').trim();
}
