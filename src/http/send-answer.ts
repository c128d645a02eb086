import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { toJsonFragments } from '../slices/json-fragments.ts';
import { toJsonPieces } from '../slices/json-pieces.ts';
import type { Reservation } from '../memory-budget.ts';
import { runInSlices } from '../slices/run-in-slices.ts';

/** An answer that is JSON text already: in pieces that are reserved, or in chunks that are made as they are sent. */
export class JsonText {
  readonly content: Uint8Array[] | Iterable<string>;

  constructor(content: Uint8Array[] | Iterable<string>) {
    this.content = content;
  }
}

/** An answer of lines of JSON, which are made as they are sent. */
export class JsonLines {
  readonly pieces: AsyncIterable<string>;

  constructor(pieces: AsyncIterable<string>) {
    this.pieces = pieces;
  }
}

/**
 * Sends an answer as JSON, in pieces and no faster than the client reads.
 * @param reservation holds the bytes of the answer until the operating system has accepted them
 * @throws {MemoryBudgetError} there is no memory for the answer; nothing is sent then
 */
export async function sendAnswer(
  response: Response,
  answer: object,
  reservation: Reservation,
): Promise<void> {
  if (answer instanceof JsonLines) {
    response.type('application/jsonl');
    response.setMaxListeners(20);
    await pipeline(Readable.from(answer.pieces), response);
    return;
  }
  const content =
    answer instanceof JsonText ? answer.content : await writeJson(answer, reservation);
  response.type('json');
  // Middlewares listen for its end, and so does the pipeline, several times.
  response.setMaxListeners(20);
  if (!Array.isArray(content)) {
    await pipeline(Readable.from(content), response);
    return;
  }
  const [first] = content;
  if (content.length === 1) {
    response.send(first);
    return;
  }
  response.set('content-length', String(sumLengths(content)));
  await pipeline(Readable.from(takePieces(content, reservation)), response);
}

async function writeJson(answer: object, reservation: Reservation): Promise<Uint8Array[]> {
  const pieces = toJsonPieces(toJsonFragments(answer), (bytes) => {
    reservation.resize(reservation.bytes + bytes);
  });
  return await runInSlices(pieces);
}

function sumLengths(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Removes pieces one by one; one that the stream asks for after another has been sent before it. */
function* takePieces(pieces: Uint8Array[], reservation: Reservation): Generator<Uint8Array, void> {
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    yield piece;
    reservation.resize(Math.max(0, reservation.bytes - piece.length));
  }
}
