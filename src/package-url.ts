import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * The URL of a file or directory of the package, such as `sql/queries/`. It is the same from `src` and, compiled, from
 * `dist/src`.
 */
export function packageUrl(path: string): URL {
  const packageFile = createRequire(import.meta.url).resolve('#package');
  return new URL(path, pathToFileURL(packageFile));
}
