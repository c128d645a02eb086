import { createHash } from 'node:crypto';

/** The digest of Weave: SHA-256 in base64, with 43 letters and digits only. */
export function weaveDigest(content: string | Uint8Array): string {
  const base64 = createHash('sha256').update(content).digest('base64');
  return base64.replaceAll('+', 'X').replaceAll('/', 'Y').replaceAll('=', '');
}
