/**
 * Compiles src, cli and demo to dist, which `npm start`, `npm run prices` and `npm run demo` run. `npm ci` does it too
 * (`prepare`); where the compiler is left out, as by `npm ci --omit=dev`, it does nothing, and dist has to be there.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @returns {string | undefined} the compiler's program */
function findCompiler() {
  try {
    return fileURLToPath(new URL('../bin/tsc', import.meta.resolve('typescript')));
  } catch {
    return undefined;
  }
}

const compiler = findCompiler();
if (compiler !== undefined) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  rmSync(new URL('../dist/', import.meta.url), { recursive: true, force: true });
  const { status } = spawnSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], {
    ...{ cwd: root, stdio: 'inherit' },
  });
  process.exitCode = status ?? 1;
}
