import type { IncomingMessage } from 'node:http';
import type { Reservation } from '../../memory-budget.ts';
import { readBody } from './read-body.ts';

const minCapacity = 16_384;

/**
 * Reads a decompressed body into one buffer, which grows with what has arrived: slices of a body are not kept, since a
 * byte of them would keep a whole buffer of the socket.
 *
 * @param reservation the memory of the buffer
 * @throws {ApiError} and {MemoryBudgetError} as {@link readBody}
 */
export async function readBytes(
  request: IncomingMessage,
  { maxBytes, reservation }: { readonly maxBytes: number; readonly reservation: Reservation },
): Promise<Buffer> {
  let buffer = Buffer.allocUnsafeSlow(0);
  let length = 0;
  const onSlice = (slice: Buffer, windowBytes: number): void => {
    const needed = length + slice.length;
    if (needed > buffer.length) {
      const capacity = Math.max(minCapacity, needed, Math.min(2 * buffer.length, maxBytes));
      reservation.resize(windowBytes + capacity);
      const larger = Buffer.allocUnsafeSlow(capacity);
      buffer.copy(larger, 0, 0, length);
      buffer = larger;
    }
    length += slice.copy(buffer, length);
  };
  await readBody(request, { maxBytes, reservation, onSlice });
  return buffer.subarray(0, length);
}
