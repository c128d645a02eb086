import { createHash, type Hash } from 'node:crypto';
import { stringify } from 'safe-stable-stringify';
import { toJsonFragments } from '../../slices/json-fragments.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';

/** SHA-256 as Weave writes it, with 43 letters and digits. */
export function toWeaveDigest(hash: Hash): string {
  return hash.digest('base64url').replaceAll('-', 'X').replaceAll('_', 'Y');
}

/** The digest of any JSON value; the order of object keys does not matter. */
export async function digestJson(value: unknown): Promise<string> {
  return toWeaveDigest(await runInSlices(hashJson(value)));
}

/** Characters that are hashed at once. */
const chunkLength = 16_384;

function* hashJson(value: unknown): Steps<Hash> {
  const hash = createHash('sha256');
  let chunk = '';
  for (const fragment of toJsonFragments(value, 'sorted')) {
    chunk += fragment ?? '';
    if (chunk.length >= chunkLength) {
      hash.update(chunk);
      chunk = '';
    }
    yield;
  }
  return hash.update(chunk);
}

/** The text of a JSON value that is not large, the keys of objects sorted. */
export function toCanonicalJson(value: unknown): string {
  return stringify(value) ?? 'null';
}
