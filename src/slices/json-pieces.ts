import type { Steps } from './run-in-slices.ts';

/** Length of a piece of JSON text, unless one fragment is larger; a client that reads a piece makes progress. */
const pieceLength = 16_384;

/** Pieces of larger fragments; of those that are sent, one at a time is neither waiting nor read. */
const maxPieceBytes = 65_536;

/**
 * Joins fragments of JSON text into pieces in UTF-8; fragments that are bytes already are pieces of their own.
 * @param fragments in order; undefined where there was work without text
 * @param reserve called with the bytes of each piece; when it throws, nothing more is read
 */
export function* toJsonPieces(
  fragments: Iterable<string | Uint8Array | undefined>,
  reserve: (bytes: number) => void,
): Steps<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  let text = '';
  const push = (bytes: Uint8Array): void => {
    reserve(bytes.length);
    for (let start = 0; start < bytes.length; start += maxPieceBytes) {
      const piece = bytes.subarray(start, start + maxPieceBytes);
      // A copy, so that each piece is freed when it was sent.
      pieces.push(bytes.length <= maxPieceBytes ? bytes : Buffer.from(piece));
    }
  };
  const flush = (): void => {
    if (text !== '') push(Buffer.from(text));
    text = '';
  };
  for (const fragment of fragments) {
    if (typeof fragment === 'object') {
      flush();
      push(fragment);
    } else text += fragment ?? '';
    if (text.length >= pieceLength) flush();
    yield;
  }
  flush();
  return pieces;
}
