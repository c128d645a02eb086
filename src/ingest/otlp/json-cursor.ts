import type { Steps } from '../../slices/run-in-slices.ts';
import { TraceFormatError } from './received-span.ts';

/** Bytes that are looked at in one step: some microseconds. */
const bytesPerStep = 4_096;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const letterN = 0x6e;

/** Walks through JSON that is known to be valid, in steps. Nothing is built but what its caller reads. */
export class JsonCursor {
  readonly #bytes: Buffer;
  /** The first byte of the next value, once something of it is read. */
  position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * Reads an object member by member; null has none.
   * @param read returns the steps that read the value of a member, or undefined to skip it
   * @throws {TraceFormatError} the value is not an object
   */
  *readObject(what: string, read: (name: string) => Steps<void> | undefined): Steps<void> {
    const byte = this.#skipTo();
    if (byte === letterN) return yield* this.skip();
    if (byte !== openBrace) throw new TraceFormatError(`${what} is not an object.`);
    this.position += 1;
    while (this.#skipTo() !== closeBrace) {
      const start = this.position;
      yield* this.skip();
      const name = JSON.parse(this.#bytes.toString('utf8', start, this.position)) as string;
      this.#skipTo();
      yield* read(name) ?? this.skip();
    }
    this.position += 1;
  }

  /**
   * Reads a list element by element; null has none.
   * @throws {TraceFormatError} the value is not a list
   */
  *readList(what: string, readElement: () => Steps<void>): Steps<void> {
    const byte = this.#skipTo();
    if (byte === letterN) return yield* this.skip();
    if (byte !== openBracket) throw new TraceFormatError(`"${what}" is not a list.`);
    this.position += 1;
    while (this.#skipTo() !== closeBracket) yield* readElement();
    this.position += 1;
  }

  /** Reads the text of a value; undefined for one of more bytes, which is skipped. */
  *readText(maxBytes: number): Steps<string | undefined> {
    this.#skipTo();
    const start = this.position;
    yield* this.skip();
    if (this.position - start > maxBytes) return undefined;
    // To build it takes about as long as a step for so many bytes.
    for (let bytes = start; bytes < this.position; bytes += bytesPerStep) yield;
    return this.#bytes.toString('utf8', start, this.position);
  }

  /** Skips a value. */
  *skip(): Steps<void> {
    const bytes = this.#bytes;
    let position = this.position;
    let stepEnd = position + bytesPerStep;
    let depth = 0;
    do {
      const byte = bytes[position] ?? 0;
      position += 1;
      if (byte === quote) {
        for (let unit = bytes[position]; unit !== quote; unit = bytes[position]) {
          position += unit === backslash ? 2 : 1;
          if (position < stepEnd) continue;
          yield;
          stepEnd = position + bytesPerStep;
        }
        position += 1;
      } else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === closeBrace || byte === closeBracket) depth -= 1;
      else if (depth === 0) position = this.#endOfScalar(position);
      if (position < stepEnd) continue;
      yield;
      stepEnd = position + bytesPerStep;
    } while (depth > 0);
    this.position = position;
  }

  /** Goes on to the next byte of a value, or the end of a container, and returns it. */
  #skipTo(): number {
    let byte = this.#bytes[this.position] ?? closeBrace;
    while (byte <= 0x20 || byte === comma || byte === colon) {
      this.position += 1;
      byte = this.#bytes[this.position] ?? closeBrace;
    }
    return byte;
  }

  #endOfScalar(start: number): number {
    let end = start;
    for (let byte = this.#bytes[end] ?? comma; isOfScalar(byte); byte = this.#bytes[end] ?? comma) {
      end += 1;
    }
    return end;
  }
}

function isOfScalar(byte: number): boolean {
  return byte > 0x20 && byte !== comma && byte !== closeBracket && byte !== closeBrace;
}
