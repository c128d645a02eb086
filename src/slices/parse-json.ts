import { type Steps, toSet } from './run-in-slices.ts';

/** JSON.parse takes less than a millisecond for so many bytes, and is faster than {@link JsonParser}. */
const maxBytesAtOnce = 32_768;

/** Bytes of a string that are decoded in one step. */
const maxPieceBytes = 16_384;

/**
 * Does in steps what JSON.parse does at once. No step takes long, be it for an array of 200,000 texts or for a single
 * text of 30 MB.
 * @param bytes valid JSON in UTF-8
 */
export function* parseJson(bytes: Buffer): Steps<unknown> {
  if (bytes.length > maxBytesAtOnce) return yield* new JsonParser(bytes).parse();
  return JSON.parse(bytes.toString()) as unknown;
}

/** Members of an object from which on its names are kept. */
const largeObjectMembers = 1_000;

/** The names of large objects, which V8 takes 50 ms to list and sort where there are 150,000. */
const namesOfLarge = new WeakMap<object, string[]>();

/** The names of an object's members; those of a large object that {@link parseJson} made are in the order of the text. */
export function namesOf(object: object): readonly string[] {
  return namesOfLarge.get(object) ?? Object.keys(object);
}

/** A container that has not ended. */
interface OpenContainer {
  readonly container: unknown[] | Record<string, unknown>;
  /** Of an object, with repetitions. */
  readonly names: string[];
}

const quote = 0x22;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const unicodeEscape = 0x75;

class JsonParser {
  readonly #bytes: Buffer;
  #position = 0;
  readonly #root: unknown[] = [];
  /** Values are added to it. */
  #innermost: OpenContainer = { container: this.#root, names: [] };
  readonly #outer: OpenContainer[] = [];
  /** Of the member whose value comes next. */
  #name: string | undefined;
  /** Whether the piece of a string that was looked at last has any. */
  #hasEscape = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  *parse(): Steps<unknown> {
    while (this.#position < this.#bytes.length) {
      const byte = this.#bytes[this.#position] ?? 0;
      if (byte === quote) this.#addText(this.#readShortString() ?? (yield* this.#readLongString()));
      else if (byte === openBrace || byte === openBracket) this.#startContainer(byte);
      else if (byte === closeBrace || byte === closeBracket) yield* this.#endContainer();
      else if (isBetweenValues(byte)) this.#position += 1;
      else this.#addValue(this.#readScalar());
      yield;
    }
    return this.#root[0];
  }

  #startContainer(byte: number): void {
    const container = byte === openBrace ? {} : [];
    this.#addValue(container);
    this.#outer.push(this.#innermost);
    this.#innermost = { container, names: [] };
    this.#position += 1;
  }

  *#endContainer(): Steps<void> {
    const { container, names } = this.#innermost;
    if (names.length > largeObjectMembers) namesOfLarge.set(container, [...(yield* toSet(names))]);
    this.#innermost = this.#outer.pop() ?? this.#innermost;
    this.#position += 1;
  }

  #addText(text: string): void {
    if (this.#name === undefined && !Array.isArray(this.#innermost.container)) this.#name = text;
    else this.#addValue(text);
  }

  #addValue(value: unknown): void {
    const { container, names } = this.#innermost;
    if (Array.isArray(container)) {
      container.push(value);
      return;
    }
    const name = this.#name ?? '';
    this.#name = undefined;
    names.push(name);
    if (name !== '__proto__') container[name] = value;
    else Object.defineProperty(container, name, { ...ownProperty, value });
  }

  #readScalar(): unknown {
    const start = this.#position;
    while (isOfScalar(this.#bytes[this.#position] ?? 0)) this.#position += 1;
    return JSON.parse(this.#bytes.toString('latin1', start, this.#position)) as unknown;
  }

  /** @returns undefined where the string is longer than a piece */
  #readShortString(): string | undefined {
    const start = this.#position;
    const end = this.#endOfPiece(start + 1);
    if (this.#bytes[end] !== quote) return undefined;
    this.#position = end + 1;
    return this.#hasEscape
      ? (JSON.parse(this.#bytes.toString('utf8', start, end + 1)) as string)
      : this.#bytes.toString('utf8', start + 1, end);
  }

  *#readLongString(): Steps<string> {
    let text = '';
    let start = this.#position + 1;
    for (;;) {
      const end = this.#endOfPiece(start);
      text += JSON.parse(`"${this.#bytes.toString('utf8', start, end)}"`) as string;
      start = end;
      yield;
      if (this.#bytes[end] !== quote) continue;
      this.#position = end + 1;
      return text;
    }
  }

  /** Where the string ends, or a piece of it that contains whole characters and escapes. */
  #endOfPiece(start: number): number {
    const bytes = this.#bytes;
    const last = Math.min(start + maxPieceBytes, bytes.length);
    this.#hasEscape = false;
    let position = start;
    while (position < last || isInsideCharacter(bytes[position] ?? 0)) {
      const byte = bytes[position] ?? 0;
      if (byte === quote) return position;
      if (byte === backslash) this.#hasEscape = true;
      position += byte !== backslash ? 1 : bytes[position + 1] === unicodeEscape ? 6 : 2;
    }
    return position;
  }
}

const ownProperty = { writable: true, enumerable: true, configurable: true };

/** White space, commas and colons. */
function isBetweenValues(byte: number): boolean {
  return byte <= 0x20 || byte === 0x2c || byte === 0x3a;
}

/** Letters, digits, signs and the decimal point. */
function isOfScalar(byte: number): boolean {
  return !isBetweenValues(byte) && byte !== closeBracket && byte !== closeBrace;
}

/** Whether a byte is not the first one of its character. */
function isInsideCharacter(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
