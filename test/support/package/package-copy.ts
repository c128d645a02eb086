import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { readText } from '../markdown.ts';

const rootDirectory = fileURLToPath(new URL('../../..', import.meta.url));

/** What a deployment without sources has, as the image. */
export const compiledFiles = [
  ...['package.json', 'cli/build-state.js', 'cli/check-build.js', 'dist'],
  ...['src/prices/catalog/corrections.json', 'src/prices/catalog/name-decisions.json'],
];

/** What dist is compiled from, and with. */
export const sourceFiles = [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json'],
  ...['cli', 'demo', 'src'],
];

/**
 * Copies these files of the package into a directory of their own, until the test has finished.
 * @param modules names of the packages that are installed there
 */
export async function copyPackage(
  paths: readonly string[],
  modules: readonly string[],
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-package-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const path of [...paths, 'openapi', 'page', 'sql']) {
    await cp(join(rootDirectory, path), join(directory, path), { recursive: true });
  }
  for (const name of modules) {
    const path = join('node_modules', name);
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await symlink(join(rootDirectory, path), join(directory, path));
  }
  return directory;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** The names of the packages that `npm ci --omit=dev --omit=optional` installs. */
export function listProductionModules(): string[] {
  const lock = JSON.parse(readText('package-lock.json')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(([, { dev = false, optional = false }]) => !dev && !optional)
    .flatMap(([path]) => /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1] ?? []);
}
