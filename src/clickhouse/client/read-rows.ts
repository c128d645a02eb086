import type { Readable } from 'node:stream';
import { parseJson } from '../../slices/parse-json.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';

const newline = 0x0a;

/**
 * Reads rows in the format JSONEachRow, and parses them in slices as they arrive.
 * @param reserve called with the bytes of each piece that has arrived; what it throws ends the reading
 */
export async function readRows<Row>(
  stream: Readable,
  reserve: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Row[]> {
  const rows: Row[] = [];
  /** The beginning of a row whose end has not arrived. */
  let rest: Buffer[] = [];
  for await (const chunk of stream) {
    const bytes = chunk as Buffer;
    reserve(bytes.length);
    const end = bytes.lastIndexOf(newline) + 1;
    if (end > 0) {
      const lines = Buffer.concat([...rest, bytes.subarray(0, end)]);
      rest = [];
      await runInSlices(
        parseRows(lines, (row) => rows.push(row as Row)),
        signal,
      );
    }
    if (end < bytes.length) rest.push(bytes.subarray(end));
  }
  return rows;
}

function* parseRows(lines: Buffer, add: (row: unknown) => void): Steps<void> {
  for (let start = 0; start < lines.length; yield) {
    const end = lines.indexOf(newline, start);
    add(yield* parseJson(lines.subarray(start, end)));
    start = end + 1;
  }
}
