import type { IncomingMessage } from 'node:http';
import { finished, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Reservation } from '../../memory-budget.ts';
import { apiErrors } from '../api-errors.ts';
import { toIssue } from '../validation/issues.ts';
import { eventLoopShare } from './event-loop-share.ts';

/** Bytes that are handled without a break: about a millisecond. */
const sliceBytes = 65_536;

export interface BodyOptions {
  /** Largest body, after decompression, in bytes. */
  readonly maxBytes: number;
  /** Memory of what `onSlice` keeps, and of the window. */
  readonly reservation: Reservation;
  /**
   * Gets at most 64 KiB of the body; what it throws ends the reading.
   * @param windowBytes what the decompressor holds until the body ends
   */
  readonly onSlice: (bytes: Buffer, windowBytes: number) => void;
}

/**
 * Reads the decompressed body of a request in slices; nothing is buffered. The body that was refused is read to its end
 * and discarded, since a client that is still sending does not read the answer.
 *
 * @throws {ApiError} 413 where the body is, or is declared to be, larger; 415 and 422 for its encoding
 * @throws {MemoryBudgetError} the reservation was refused: at once, even if the client sends nothing more
 */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, reservation, onSlice }: BodyOptions,
): Promise<void> {
  const body = decompress(request);
  const window = { bytes: 0 };
  if (encodingOf(request) === 'br') {
    request.once('data', ([firstByte = 0]: Buffer) => {
      window.bytes = toBrotliWindowBytes(firstByte);
      try {
        reservation.resize(window.bytes);
      } catch (error) {
        body.destroy(error as Error);
      }
    });
  }
  let take: BodyOptions['onSlice'] | undefined = onSlice;
  const refused = new Promise<never>((_resolve, reject) => {
    reservation.onRefused((error) => {
      // The reading may wait for its client for a while, and must not keep what was read meanwhile.
      take = undefined;
      if (body !== request) discardRest(request, body);
      reject(error);
    });
  });
  const reading = readSlices(request, body, maxBytes, (slice) => take?.(slice, window.bytes));
  await Promise.race([reading.finally(() => reservation.secure()), refused]);
}

async function readSlices(
  request: IncomingMessage,
  body: Readable,
  maxBytes: number,
  onSlice: (bytes: Buffer) => void,
): Promise<void> {
  try {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
    let length = 0;
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer;
      length += bytes.length;
      if (length > maxBytes) throw tooLarge();
      for (let start = 0; start < bytes.length; start += sliceBytes) {
        const slice = bytes.subarray(start, start + sliceBytes);
        await eventLoopShare.run(() => {
          onSlice(slice);
        });
      }
    }
  } catch (error) {
    discardRest(request, body);
    throw request.complete || !request.destroyed ? toBodyError(error) : bodyIncomplete();
  }
}

function tooLarge(): Error {
  return apiErrors.tooLarge('The body is larger than the limit.');
}

function bodyIncomplete(): Error {
  return apiErrors.invalid([toIssue('value_error', ['body'], 'bodyIncomplete')]);
}

/** Errors of zlib have codes that begin like these. */
function toBodyError(error: unknown): unknown {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ERR_PADDING)/.test(code)
    ? apiErrors.invalid([toIssue('value_error', ['body'], 'bodyEncoding')])
    : error;
}

function encodingOf({ headers }: IncomingMessage): string {
  return (headers['content-encoding'] ?? 'identity').toLowerCase();
}

/**
 * What a brotli decompressor allocates before it writes anything: 1 KiB to 16 MiB, as the body says in its first bits
 * (RFC 7932, section 9.1). That of gzip needs 32 KiB, less than a socket.
 */
function toBrotliWindowBytes(firstByte: number): number {
  const large = (firstByte >> 1) & 7;
  const small = (firstByte >> 4) & 7;
  if ((firstByte & 1) === 0) return 2 ** 16;
  if (large > 0) return 2 ** (17 + large);
  return small === 0 ? 2 ** 17 : 2 ** (8 + small);
}

/** @throws {ApiError} 415 for an encoding that is not supported */
function decompress(request: IncomingMessage): Readable {
  const encoding = encodingOf(request);
  if (encoding === 'identity') return request;
  const create = decompressors.get(encoding);
  if (create === undefined) {
    throw apiErrors.unsupportedMedia(
      'Only the content encodings gzip, deflate and br are supported.',
    );
  }
  const decompressor = create();
  finished(request, (error) => {
    if (error) decompressor.destroy(error);
  });
  return request.pipe(decompressor);
}

const decompressors = new Map<string, () => Transform>([
  ['gzip', () => createGunzip({ chunkSize: sliceBytes })],
  ['deflate', () => createInflate({ chunkSize: sliceBytes })],
  ['br', () => createBrotliDecompress({ chunkSize: sliceBytes })],
]);

function discardRest(request: IncomingMessage, body: Readable): void {
  if (body !== request) {
    request.unpipe();
    body.on('error', () => undefined).destroy();
  }
  request.resume();
}
