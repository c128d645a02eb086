import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { type EndedNode, nodeArgumentsOf, runNode } from '../support/package/npm-command.ts';
import {
  compiledFiles,
  copyPackage,
  listProductionModules,
  sourceFiles,
} from '../support/package/package-copy.ts';

const modules = listProductionModules();
const modulesAndCompiler = [...modules, 'typescript', '@types/node'];

/** Runs what `npm start` runs. That it complains of the port shows that the service was loaded. */
function start(cwd: string): Promise<EndedNode> {
  const env = { PATH: process.env['PATH'], PORT: 'http' };
  return runNode(nodeArgumentsOf('start'), { cwd, env });
}

function build(cwd: string, ...options: string[]): Promise<EndedNode> {
  return runNode(['cli/build.js', ...options], { cwd });
}

const isLoaded: EndedNode = {
  code: 1,
  stdout: '',
  stderr: expect.stringMatching(/^PORT is "http"; it must be [^\n]+\n$/) as string,
};

test('npm start without dist says in one line how to compile', async () => {
  const directory = await copyPackage(sourceFiles, modules);
  const { code, stderr } = await start(directory);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^dist is missing[^\n]+Run `npm run build`[^\n]+\n$/);
});

test('npm start runs dist, refuses it once a source has changed, and runs it again after a build', async () => {
  const directory = await copyPackage([...sourceFiles, 'dist'], modulesAndCompiler);
  expect(await start(directory)).toEqual(isLoaded);

  const source = join(directory, 'src', 'settings', 'settings.ts');
  await writeFile(source, `${await readFile(source, 'utf8')}\n`);
  const { code, stderr } = await start(directory);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^dist was compiled from other sources[^\n]+`npm run build`[^\n]+\n$/);

  const built = await build(directory, '--if-stale');
  expect(built).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await start(directory)).toEqual(isLoaded);
});

test('npm start runs dist in a package without sources', async () => {
  expect(await start(await copyPackage(compiledFiles, modules))).toEqual(isLoaded);
});

test('a build without TypeScript succeeds and leaves dist as it is', async () => {
  const directory = await copyPackage([...sourceFiles, 'dist'], modules);
  const path = join(directory, 'dist', 'src', 'main.js');
  await writeFile(path, '// kept');
  const { code, stderr } = await build(directory);
  expect(code).toBe(0);
  expect(stderr).toBe('TypeScript is not installed: dist is left as it is.\n');
  expect(await readFile(path, 'utf8')).toBe('// kept');
});

test('a build of sources with a syntax error fails and leaves dist as it is', async () => {
  const directory = await copyPackage([...sourceFiles, 'dist'], modulesAndCompiler);
  await writeFile(join(directory, 'src', 'main.ts'), 'const = 1;');
  const path = join(directory, 'dist', 'src', 'main.js');
  const before = await readFile(path, 'utf8');
  const { code, stdout } = await build(directory);
  expect(code).not.toBe(0);
  expect(stdout).toContain('src/main.ts');
  expect(await readFile(path, 'utf8')).toBe(before);
});
