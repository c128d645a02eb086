import { createHash, type Hash } from 'node:crypto';
import { stringify } from 'safe-stable-stringify';

/** The digest of any JSON; the order of keys plays no part. */
export function digestJson(value: unknown): string {
  return toDigest(createHash('sha256').update(stringify(value) ?? 'null'));
}

/** 43 letters and digits, as Weave writes them. */
export function toDigest(hash: Hash): string {
  return hash.digest('base64url').replaceAll('-', 'X').replaceAll('_', 'Y');
}
