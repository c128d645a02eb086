import { createHash, type Hash } from 'node:crypto';
import { stringify } from 'safe-stable-stringify';

/** SHA-256 as Weave writes it, with 43 letters and digits. */
export function toWeaveDigest(hash: Hash): string {
  return hash.digest('base64url').replaceAll('-', 'X').replaceAll('_', 'Y');
}

/** The digest of any JSON value; the order of object keys does not matter. */
export function digestJson(value: unknown): string {
  return toWeaveDigest(createHash('sha256').update(toCanonicalJson(value)));
}

/** The text of any JSON value, the keys of objects sorted. */
export function toCanonicalJson(value: unknown): string {
  return stringify(value) ?? 'null';
}
