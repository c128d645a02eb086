/**
 * Tells whether dist is what the sources beside it compile to. Contents are compared, not times: a copied or checked-out
 * file has the time of the copy.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The package, which has dist and the sources in it. */
export const packageDirectory = join(import.meta.dirname, '..');

/** The file in dist with the hash of the sources that it was compiled from. */
export const hashFile = 'sources.sha256';

/** Without this file the package has no sources, as in the image: dist is all there is. */
const configFile = 'tsconfig.build.json';

const sourceFolders = ['src', 'cli', 'demo'];

/** @returns {'current' | 'missing' | 'stale'} */
export function readBuildState() {
  const path = join(packageDirectory, 'dist', hashFile);
  if (!existsSync(path)) return 'missing';
  if (!existsSync(join(packageDirectory, configFile))) return 'current';
  return readFileSync(path, 'utf8') === hashSources() ? 'current' : 'stale';
}

/** @returns {string} SHA-256 of the names and contents of all files that dist is compiled from */
export function hashSources() {
  const hash = createHash('sha256');
  for (const file of ['tsconfig.json', configFile, ...sourceFolders.flatMap(listFiles)]) {
    const content = readFileSync(join(packageDirectory, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @returns {string[]} the TypeScript and JavaScript files in it, relative to the package, sorted
 */
function listFiles(folder) {
  const path = join(packageDirectory, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:js|json|ts)$/.test(file))
    .map((file) => join(folder, file))
    .sort();
}
