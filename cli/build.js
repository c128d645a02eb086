/**
 * Compiles src, cli and demo to dist, which `npm start`, `npm run demo` and the command line tools run. `npm ci` does
 * it too (`prepare`). With `--if-stale` it compiles only what has changed since. Where the compiler is not installed
 * (`npm ci --omit=dev`) it says so and succeeds, because npm would otherwise undo the installation.
 */
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { hashFile, hashSources, packageDirectory, readBuildState } from './build-state.js';

const { values } = parseArgs({ options: { 'if-stale': { type: 'boolean', default: false } } });
const compiler = findCompiler();
if (values['if-stale'] && readBuildState() === 'current') {
  // Nothing to do.
} else if (compiler === undefined) {
  console.error('TypeScript is not installed: dist is left as it is.');
} else {
  process.exitCode = build(compiler);
}

/** @returns {string | undefined} the compiler's program */
function findCompiler() {
  try {
    return fileURLToPath(new URL('../bin/tsc', import.meta.resolve('typescript')));
  } catch {
    return undefined;
  }
}

/**
 * Compiles beside dist and then replaces it, so that an error leaves it as it was.
 * @param {string} program
 * @returns {number} the exit code
 */
function build(program) {
  const directory = join(packageDirectory, `dist-${process.pid}`);
  try {
    const hash = hashSources();
    const options = ['--project', 'tsconfig.build.json', '--outDir', directory];
    const { status } = spawnSync(process.execPath, [program, ...options], {
      ...{ cwd: packageDirectory, stdio: 'inherit' },
    });
    if (status !== 0) return status ?? 1;
    writeFileSync(join(directory, hashFile), hash);
    const target = join(packageDirectory, 'dist');
    rmSync(target, { recursive: true, force: true });
    renameSync(directory, target);
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
