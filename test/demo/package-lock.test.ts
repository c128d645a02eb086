import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = readJson('package-lock.json') as Lock;

// npm omits packages of other platforms from the lock file when its registry does not have them, and `npm ci`
// then refuses that file everywhere.
test('the lock file contains the optional packages of every platform', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  );
  expect(missing).toEqual([]);
});

// npm 10, which comes with Node 20, refuses a lock file that lacks a matching version of an optional peer dependency;
// npm 11 does not write such a version. With the override any version matches.
test('package.json lets weave use the installed version of zod, so that npm ci works with npm 10', () => {
  const { overrides } = readJson('package.json') as { overrides: Record<string, object> };
  expect(overrides['weave']).toEqual({ zod: '>=3.23.8' });
  expect(packages).not.toHaveProperty(['node_modules/weave/node_modules/zod']);
});

// npm 11 ends `npm ci` with a warning for each package whose install script is neither allowed nor denied.
test('package.json denies the install script of every package that has one', () => {
  const { allowScripts } = readJson('package.json') as { allowScripts: Record<string, boolean> };
  const names = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(Object.keys(allowScripts).sort()).toEqual([...new Set(names)].sort());
  expect(new Set(Object.values(allowScripts))).toEqual(new Set([false]));
});

test('no compiler and no loader is installed in production', () => {
  const compilers = ['tsx', 'esbuild', 'typescript', 'vite'];
  const installed = compilers.map((name) => packages[`node_modules/${name}`]?.dev);
  expect(installed).toEqual(compilers.map(() => true));
});

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
}
