import type { Steps } from '../../slices/run-in-slices.ts';
import { TraceFormatError } from './received-span.ts';

/** Bytes that are looked at in one step: some microseconds. */
const bytesPerStep = 4_096;

/** A value that is skipped is built, to see whether it is JSON, unless it has more bytes. */
const maxBuiltBytes = 131_072;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const letterN = 0x6e;
const end = -1;

/**
 * Walks through JSON in steps. Nothing is built for long but what its caller reads: values are delimited by their quotes
 * and brackets, and `JSON.parse` sees whether each of them is JSON, which is several times as fast as a scanner in
 * JavaScript. Of a value of more than 128 KiB that is skipped, only quotes and brackets are looked at.
 */
export class JsonCursor {
  readonly #bytes: Buffer;
  /** Where the next value begins, or white space before it. */
  position = 0;

  /** @param bytes UTF-8 */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * Reads an object member by member; null has none.
   * @param read returns the steps that read the value of a member, or undefined to skip it
   * @throws {TraceFormatError} the value is not an object
   */
  *readObject(what: string, read: (name: string) => Steps<void> | undefined): Steps<void> {
    const byte = this.#peek();
    if (byte === letterN) return yield* this.skip();
    if (byte !== openBrace) throw new TraceFormatError(`${what} is not an object.`);
    yield* this.#readElements(closeBrace, () => this.#readMember(read));
  }

  /**
   * Reads a list element by element; null has none.
   * @throws {TraceFormatError} the value is not a list
   */
  *readList(what: string, readElement: () => Steps<void>): Steps<void> {
    const byte = this.#peek();
    if (byte === letterN) return yield* this.skip();
    if (byte !== openBracket) throw new TraceFormatError(`"${what}" is not a list.`);
    yield* this.#readElements(closeBracket, readElement);
  }

  /**
   * Reads a value.
   * @returns undefined for one of more bytes, which is skipped
   */
  *readValue(maxBytes = maxBuiltBytes): Steps<{ readonly value: unknown } | undefined> {
    this.#peek();
    const start = this.position;
    yield* this.#findEnd();
    if (this.position - start > maxBytes) return undefined;
    // To build it takes about as long as a step for so many bytes.
    for (let bytes = start; bytes < this.position; bytes += bytesPerStep) yield;
    return { value: this.#parse(start) };
  }

  *skip(): Steps<void> {
    yield* this.readValue();
  }

  /** @throws {TraceFormatError} there is more than white space */
  requireEnd(): void {
    if (this.#peek() !== end) throw this.#syntaxError();
  }

  *#readElements(closing: number, readElement: () => Steps<void>): Steps<void> {
    this.position += 1;
    if (this.#peek() === closing) {
      this.position += 1;
      return;
    }
    for (;;) {
      yield* readElement();
      const byte = this.#peek();
      if (byte !== comma && byte !== closing) throw this.#syntaxError();
      this.position += 1;
      if (byte === closing) return;
    }
  }

  *#readMember(read: (name: string) => Steps<void> | undefined): Steps<void> {
    if (this.#peek() !== quote) throw this.#syntaxError();
    const name = yield* this.readValue();
    if (this.#peek() !== colon) throw this.#syntaxError();
    this.position += 1;
    yield* read(String(name?.value)) ?? this.skip();
  }

  /** Goes to the end of the value that begins at the position. */
  *#findEnd(): Steps<void> {
    const scan: Scan = { depth: 0, isInString: false };
    while (!this.#scan(scan, this.position + bytesPerStep)) yield;
  }

  /**
   * Goes on towards the end of a value. A loop within a generator takes several times as long.
   * @returns whether the value has ended
   */
  #scan(scan: Scan, stepEnd: number): boolean {
    const bytes = this.#bytes;
    const last = Math.min(stepEnd, bytes.length);
    let { position } = this;
    let { depth, isInString } = scan;
    if (position >= last) throw this.#syntaxError();
    do {
      if (isInString) {
        while (isInString && position < last) {
          const unit = bytes[position];
          position += unit === backslash ? 2 : 1;
          isInString = unit !== quote;
        }
        continue;
      }
      const byte = bytes[position] ?? 0;
      position += 1;
      if (byte === quote) isInString = true;
      else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === closeBrace || byte === closeBracket) depth -= 1;
      else if (depth === 0) position = this.#endOfScalar(position);
    } while ((depth > 0 || isInString) && position < last);
    this.position = position;
    scan.depth = depth;
    scan.isInString = isInString;
    return depth <= 0 && !isInString;
  }

  #parse(start: number): unknown {
    try {
      return JSON.parse(this.#bytes.toString('utf8', start, this.position)) as unknown;
    } catch {
      this.position = start;
      throw this.#syntaxError();
    }
  }

  /** Goes on behind white space, and returns the byte that is there. */
  #peek(): number {
    for (;;) {
      const byte = this.#bytes[this.position];
      if (byte === undefined) return end;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.position += 1;
    }
  }

  #endOfScalar(start: number): number {
    let position = start;
    while (isOfScalar(this.#bytes[position] ?? comma)) position += 1;
    return position;
  }

  #syntaxError(): TraceFormatError {
    return new TraceFormatError(`The body is not valid JSON, at or behind byte ${this.position}.`);
  }
}

/** What has begun and has not ended of a value. */
interface Scan {
  depth: number;
  isInString: boolean;
}

function isOfScalar(byte: number): boolean {
  return byte > 0x20 && byte !== comma && byte !== closeBracket && byte !== closeBrace;
}
