/**
 * Mutation tests of test/oracle/forests.test.ts, or of the tests that a mutation names: applies one mutation at a time to
 * a copy of the project and checks that the tests fail. Prints a table. Exits with 1 if a mutant survives, if the unchanged copy fails, or if the text that a
 * mutation replaces does not exist.
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
/** What the tests need; the set-up compiles src, cli and demo, and the service reads its page at start. */
const copied = [
  'cli',
  'demo',
  'openapi',
  'package.json',
  'page',
  'sql',
  'src',
  'test',
  'tsconfig.build.json',
  'tsconfig.json',
  'vitest.config.ts',
];
const forestsTest = 'test/oracle/forests.test.ts';

/** A mutant that survives so many forests has survived. */
const forests = '120';
const seed = '20261123';

interface Result {
  readonly isCaught: boolean;
  /** The number of forests until the test ended, or of other tests. */
  readonly count: string;
  readonly seconds: number;
  /** The first lines of the test's first error. */
  readonly error: readonly string[];
}

/** The error of the test if ClickHouse cannot run a query. */
const queryFailed = 'Error: Answered 500: {"detail":"Internal Server Error"}';

const namePart = process.argv[2] ?? '';
const selected = mutations.filter(({ name }) => name.includes(namePart));
const directory = await mkdtemp(join(tmpdir(), 'calls-usage-mutant-'));
try {
  process.exitCode = (await checkAll(selected)) ? 0 : 1;
} finally {
  await rm(directory, { recursive: true });
}

/** @returns whether the unchanged copy passes and every mutation is caught */
async function checkAll(all: readonly Mutation[]): Promise<boolean> {
  for (const name of copied) await cp(join(root, name), join(directory, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  let areControlsOk = true;
  for (const tests of new Set(all.map((mutation) => mutation.tests ?? forestsTest))) {
    const control = await runTests(tests);
    print(`no mutation, ${tests}`, control, !control.isCaught);
    areControlsOk &&= !control.isCaught;
  }
  let caught = 0;
  for (const mutation of all) {
    const result = await checkMutation(mutation);
    // A query that ClickHouse cannot run shows nothing about the test, unless the mutation makes it run forever.
    const isInvalid = result.error[0] === queryFailed && mutation.mayFail !== true;
    const isOk = result.isCaught && !isInvalid;
    if (isOk) caught += 1;
    print(mutation.name, result, isOk);
  }
  console.log(`${caught} of ${all.length} mutants caught.`);
  return areControlsOk && all.length > 0 && caught === all.length;
}

async function checkMutation({ changes, tests = forestsTest }: Mutation): Promise<Result> {
  const originals = new Map<string, string>();
  for (const { file, find, replace } of changes) {
    const path = join(directory, file);
    const text = await readFile(path, 'utf8');
    if (!text.includes(find))
      throw new Error(`${file} does not contain the text to be replaced: ${find}`);
    if (!originals.has(path)) originals.set(path, text);
    await writeFile(path, text.replaceAll(find, replace));
  }
  const result = await runTests(tests);
  for (const [path, text] of originals) await writeFile(path, text);
  return result;
}

async function runTests(tests: string): Promise<Result> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', 'embedded', tests],
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
  const pattern = tests === forestsTest ? /\d+ forests(?= of)/ : /(?<=Tests .*\()\d+(?=\))/;
  const count = pattern.exec(output)?.[0];
  if (count === undefined) throw new Error(`The test did not run:\n${output}`);
  const lines = output.split('\n').map((line) => line.replace(/^\+ ?/, ''));
  const first = lines.findIndex((line) => line.startsWith('Error: '));
  const error = first < 0 ? [] : lines.slice(first, first + 12);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { isCaught: code !== 0, count, seconds, error };
}

function print(name: string, result: Result, isOk: boolean): void {
  const columns = [
    isOk ? 'ok    ' : 'NOT OK',
    name.padEnd(56),
    result.isCaught ? 'caught after' : 'survives    ',
    result.count.padStart(12),
    `${result.seconds.toFixed(0)} s`.padStart(6),
  ];
  console.log(columns.join('  '));
  const isDifference = (line: string): boolean => line !== '' && !line.startsWith('Repeat with');
  const end = result.error.findIndex((line) => line.startsWith('after, '));
  for (const line of result.error.slice(0, end < 0 ? undefined : end).filter(isDifference)) {
    console.log(`        ${line.slice(0, 140)}`);
  }
}
