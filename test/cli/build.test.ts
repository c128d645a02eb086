import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { type EndedNode, nodeArgumentsOf, runNode } from '../support/npm-command.ts';

const rootDirectory = fileURLToPath(new URL('../..', import.meta.url));

/** What a deployment without sources has, as the image. */
const compiled = ['package.json', 'cli/build-state.js', 'cli/check-build.js', 'dist'];
const sources = ['cli', 'demo', 'package.json', 'src', 'tsconfig.json', 'tsconfig.build.json'];

/** Copies these files of the package into a directory of their own. */
async function copyPackage(paths: readonly string[], { hasModules = true } = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-package-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const path of [...paths, 'openapi', 'sql']) {
    await cp(join(rootDirectory, path), join(directory, path), { recursive: true });
  }
  if (hasModules)
    await symlink(join(rootDirectory, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

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
  const directory = await copyPackage(sources);
  const { code, stderr } = await start(directory);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^dist is missing[^\n]+Run `npm run build`[^\n]+\n$/);
});

test('npm start runs dist, refuses it once a source has changed, and runs it again after a build', async () => {
  const directory = await copyPackage([...sources, 'dist']);
  expect(await start(directory)).toEqual(isLoaded);

  const source = join(directory, 'src', 'settings.ts');
  await writeFile(source, `${await readFile(source, 'utf8')}\n`);
  const { code, stderr } = await start(directory);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^dist was compiled from other sources[^\n]+`npm run build`[^\n]+\n$/);

  const built = await build(directory, '--if-stale');
  expect(built).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await start(directory)).toEqual(isLoaded);
});

test('npm start runs dist in a package without sources', async () => {
  expect(await start(await copyPackage(compiled))).toEqual(isLoaded);
});

test('a build without TypeScript succeeds and leaves dist as it is', async () => {
  const directory = await copyPackage([...sources, 'dist'], { hasModules: false });
  const path = join(directory, 'dist', 'src', 'main.js');
  await writeFile(path, '// kept');
  const { code, stderr } = await build(directory);
  expect(code).toBe(0);
  expect(stderr).toBe('TypeScript is not installed: dist is left as it is.\n');
  expect(await readFile(path, 'utf8')).toBe('// kept');
});

test('a build of sources with a syntax error fails and leaves dist as it is', async () => {
  const directory = await copyPackage([...sources, 'dist']);
  await writeFile(join(directory, 'src', 'main.ts'), 'const = 1;');
  const path = join(directory, 'dist', 'src', 'main.js');
  const before = await readFile(path, 'utf8');
  const { code, stdout } = await build(directory);
  expect(code).not.toBe(0);
  expect(stdout).toContain('src/main.ts');
  expect(await readFile(path, 'utf8')).toBe(before);
});
