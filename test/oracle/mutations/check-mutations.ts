/**
 * Tests the tests: breaks one thing in a copy of the project at a time and lets test/oracle/forests.test.ts find
 * it. Prints a table; ends with 1 where a mutant survives, the unbroken copy fails, or a place that should be
 * broken is not there any more.
 *
 *     npm run test:mutations [-- part of a mutation's name]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { mutations, type Mutation } from './mutations.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const copied = [
  'openapi',
  'package.json',
  'sql',
  'src',
  'test',
  'tsconfig.json',
  'vitest.config.ts',
];
const testFile = 'test/oracle/forests.test.ts';

/** Forests that a mutant may survive. */
const forests = '120';
const seed = '20261123';

interface Result {
  readonly isCaught: boolean;
  /** Forests that were played. */
  readonly forests: string;
  readonly seconds: number;
  /** What the test said first, in lines. */
  readonly difference: readonly string[];
}

/** What the test says of a statement that ClickHouse cannot run. */
const failed = 'Error: Answered 500: {"detail":"Internal Server Error"}';

const wanted = process.argv[2] ?? '';
const chosen = mutations.filter(({ name }) => name.includes(wanted));
const directory = await mkdtemp(join(tmpdir(), 'calls-usage-mutant-'));
try {
  process.exitCode = (await tryAll(chosen)) ? 0 : 1;
} finally {
  await rm(directory, { recursive: true });
}

/** @returns whether all of them were caught, and nothing but them */
async function tryAll(all: readonly Mutation[]): Promise<boolean> {
  for (const name of copied) await cp(join(root, name), join(directory, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  const control = await runForests();
  print('nothing is broken', control, !control.isCaught);
  let caught = 0;
  for (const mutation of all) {
    const result = await tryMutation(mutation);
    // A statement that ClickHouse cannot run is no test of anything, unless running on is the fault.
    const isBroken = result.difference[0] === failed && mutation.mayFail !== true;
    const isAsItShould = result.isCaught && !isBroken;
    if (isAsItShould) caught += 1;
    print(mutation.name, result, isAsItShould);
  }
  console.log(`${caught} of ${all.length} mutants caught.`);
  return !control.isCaught && all.length > 0 && caught === all.length;
}

async function tryMutation({ changes }: Mutation): Promise<Result> {
  const originals = new Map<string, string>();
  for (const { file, find, replace } of changes) {
    const path = join(directory, file);
    const text = await readFile(path, 'utf8');
    if (!text.includes(find))
      throw new Error(`${file} does not hold what is to be broken: ${find}`);
    if (!originals.has(path)) originals.set(path, text);
    await writeFile(path, text.replaceAll(find, replace));
  }
  const result = await runForests();
  for (const [path, text] of originals) await writeFile(path, text);
  return result;
}

async function runForests(): Promise<Result> {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', 'embedded', testFile],
    {
      cwd: directory,
      env: {
        ...process.env,
        FORESTS: forests,
        CLUSTER_FORESTS: '0',
        FOREST_SEED: seed,
        FOREST_SHRINK_MS: '0',
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  const played = /(\d+) forests of/.exec(output)?.[1];
  if (played === undefined) throw new Error(`The test did not run:\n${output}`);
  const said = output.split('\n').map((line) => line.replace(/^\+ ?/, ''));
  const first = said.findIndex((line) => line.startsWith('Error: '));
  const difference = first < 0 ? [] : said.slice(first, first + 12);
  const seconds = (performance.now() - began) / 1_000;
  return { isCaught: code !== 0, forests: played, seconds, difference };
}

function print(name: string, result: Result, isAsItShould: boolean): void {
  const words = [
    isAsItShould ? 'ok    ' : 'NOT OK',
    name.padEnd(50),
    result.isCaught ? 'caught after' : 'survives    ',
    `${result.forests} forests`.padStart(12),
    `${result.seconds.toFixed(0)} s`.padStart(6),
  ];
  console.log(words.join('  '));
  const isNews = (line: string): boolean => line !== '' && !line.startsWith('Play it again');
  const end = result.difference.findIndex((line) => line.startsWith('after, '));
  for (const line of result.difference.slice(0, end < 0 ? undefined : end).filter(isNews)) {
    console.log(`        ${line.slice(0, 140)}`);
  }
}
