import { existsSync, readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** Directories that hold nothing of ours. */
const foreign = new Set(['node_modules', '.git', 'data', 'coverage']);

/** A file of the repository, by its path from the root. */
export function readText(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** Whether the repository has a file or directory of this path. */
export function isThere(path: string): boolean {
  return existsSync(new URL(path, root));
}

/** Paths of all files below a directory of the repository that end so; the root by default. */
export function listFiles(ending: string, directory = ''): string[] {
  return readdirSync(new URL(directory || '.', root), { withFileTypes: true })
    .filter(({ name }) => !foreign.has(name))
    .flatMap((entry) => {
      const path = `${directory}${entry.name}`;
      if (entry.isDirectory()) return listFiles(ending, `${path}/`);
      return path.endsWith(ending) ? [path] : [];
    });
}

/** What stands under a heading, up to the next one of its level or above. */
export function sectionOf(text: string, heading: string): string {
  const lines = withoutCode(text).split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && titleOf(line) === heading);
  if (start === -1) throw new Error(`There is no heading ${heading}.`);
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

/** The rows of the first table in a text that has this first column, without its head. */
export function tableOf(text: string, firstColumn: string): string[][] {
  const lines = text.split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${firstColumn} |`));
  if (head === -1) throw new Error(`There is no table that begins with ${firstColumn}.`);
  const body = lines.slice(head + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end === -1 ? body.length : end).map(toCells);
}

/** Code in a language, block by block. */
export function codeIn(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter(([, each]) => each === language)
    .map(([, , code = '']) => code);
}

/** The same text with every line of code blocks blank. */
export function withoutCode(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, (block) => block.replace(/[^\n]/g, ''));
}

/** What stands between backticks; the text itself where there are none. */
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
