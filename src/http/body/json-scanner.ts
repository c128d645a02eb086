import { isUtf8 } from 'node:buffer';
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  countUnits,
  endOfEscape,
  endOfScalar,
  incompleteBytes,
  isWhiteSpace,
  numberStart,
  openBrace,
  openBracket,
  quote,
  scalar,
} from './json-bytes.ts';
import { JsonCopier, type JsonItemHandler, type JsonLimits, type JsonRule } from './json-copier.ts';

/** The longest name of a member that a rule can have, text that stays of an omitted object, and number. */
const maxTokenBytes = 2_000;

/** White space of this length is not copied: a body of nothing else takes no memory. */
const minSkippedBytes = 64;

// What may come next.
const anyValue = 0;
const valueOrEnd = 1;
const nameOrEnd = 2;
const anyName = 3;
const nameEnd = 4;
const commaOrEnd = 5;
const insideString = 6;
const documentEnd = 7;

const noBytes: Buffer = Buffer.alloc(0);

/**
 * Reads a JSON document as it arrives. It checks that the bytes are UTF-8 and JSON; {@link JsonCopier} gets its tokens,
 * hands items over one by one, and leaves out what nobody needs, so that a body of any size takes no more memory than
 * its largest item. It accepts what `JSON.parse` accepts, but for numbers of more than 2,000 characters.
 */
export class JsonScanner {
  readonly #copier: JsonCopier;
  /** The objects and arrays that have not ended yet. */
  readonly #containers = new ContainerStack();
  #state = anyValue;
  /** What the end of the last chunk began and did not end: a character, a number, an escape. */
  #rest: Buffer = noBytes;
  #chunk: Buffer = noBytes;
  #position = 0;
  /** UTF-16 units before this chunk. */
  #offset = 0;
  #isName = false;
  /** The string that is being read, where it is needed by itself: its bytes of earlier chunks. */
  #stringHead: Buffer | undefined;
  #stringStart = 0;

  constructor(rule: JsonRule, limits: JsonLimits, handler?: JsonItemHandler) {
    this.#copier = new JsonCopier(rule, limits, handler);
  }

  /** Bytes of the text that was copied and not handed over yet. */
  get heldBytes(): number {
    return this.#copier.heldBytes + this.#rest.length;
  }

  /** What was left out of the document and is wanted as it was sent, by the member's name. */
  get raw(): ReadonlyMap<string, Buffer> {
    return this.#copier.raw;
  }

  /** Values of the document so far, without its items. */
  get values(): number {
    return this.#copier.values;
  }

  /**
   * Reads on.
   * @throws {JsonSyntaxError} the bytes are not JSON
   * @throws {JsonTooLargeError} the document without its items is larger than allowed
   */
  write(bytes: Buffer): void {
    this.#startChunk(bytes);
    this.#read(false);
    this.#endChunk();
  }

  /**
   * Ends the document.
   * @returns its text in UTF-8, with an empty array in place of items; no bytes where there was only white space
   * @throws {JsonSyntaxError} the document has not ended
   */
  end(): Buffer {
    const isEmpty = this.#offset === 0 && this.#rest.length === 0;
    this.#startChunk(noBytes);
    this.#read(true);
    if (this.#position < this.#chunk.length || (this.#state !== documentEnd && !isEmpty)) {
      throw this.#syntaxError(this.#position);
    }
    this.#endChunk();
    return this.#copier.bytes;
  }

  #startChunk(bytes: Buffer): void {
    this.#chunk = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = noBytes;
    this.#position = 0;
    this.#copier.startChunk(this.#chunk);
    if (this.#offset === 0) this.#skipByteOrderMark();
    const whole = this.#chunk.length - incompleteBytes(this.#chunk);
    if (whole < this.#chunk.length && bytes.length > 0) this.#holdBack(whole);
    if (!isUtf8(this.#chunk)) throw new JsonSyntaxError(this.#offset, false);
  }

  #skipByteOrderMark(): void {
    if (this.#chunk[0] === 0xef && this.#chunk[1] === 0xbb && this.#chunk[2] === 0xbf) {
      this.#position = 3;
      this.#copier.skip(0, 3);
    }
  }

  /** Leaves the end of the chunk for the next one. */
  #holdBack(from: number): void {
    this.#rest = Buffer.concat([this.#chunk.subarray(from), this.#rest]);
    this.#chunk = this.#chunk.subarray(0, from);
  }

  #endChunk(): void {
    if (this.#stringHead !== undefined) {
      const part = this.#chunk.subarray(this.#stringStart);
      const isTooLong = this.#stringHead.length + part.length > maxTokenBytes;
      this.#stringHead = isTooLong ? undefined : Buffer.concat([this.#stringHead, part]);
      this.#stringStart = 0;
    }
    this.#copier.endChunk(this.#chunk.length);
    this.#offset += countUnits(this.#chunk);
  }

  #read(isLast: boolean): void {
    while (this.#position < this.#chunk.length) {
      const byte = this.#chunk[this.#position] ?? 0;
      const before = this.#position;
      if (this.#state === insideString) this.#readString();
      else if (isWhiteSpace(byte)) this.#readWhiteSpace();
      else this.#readToken(byte, isLast);
      // What is not complete yet is held back.
      if (this.#position === before) return;
    }
  }

  #readWhiteSpace(): void {
    const chunk = this.#chunk;
    const start = this.#position;
    let end = start + 1;
    while (end < chunk.length && isWhiteSpace(chunk[end] ?? 0)) end += 1;
    if (end - start >= minSkippedBytes) this.#copier.skip(start, end);
    this.#position = end;
  }

  #readToken(byte: number, isLast: boolean): void {
    switch (this.#state) {
      case anyValue:
        this.#startValue(byte, isLast);
        break;
      case valueOrEnd:
        if (byte === closeBracket) this.#closeContainer(false);
        else this.#startValue(byte, isLast);
        break;
      case nameOrEnd:
        if (byte === closeBrace) this.#closeContainer(true);
        else this.#startName(byte);
        break;
      case anyName:
        this.#startName(byte);
        break;
      case nameEnd:
        this.#expect(byte === colon);
        this.#position += 1;
        this.#state = anyValue;
        break;
      case commaOrEnd:
        this.#readCommaOrEnd(byte);
        break;
      default:
        throw this.#syntaxError(this.#position);
    }
  }

  #expect(isRight: boolean): void {
    if (!isRight) throw this.#syntaxError(this.#position);
  }

  #syntaxError(position: number): JsonSyntaxError {
    return new JsonSyntaxError(this.#offset + countUnits(this.#chunk.subarray(0, position)));
  }

  #readCommaOrEnd(byte: number): void {
    const isObject = this.#containers.isInObject;
    if (byte !== comma) {
      this.#expect(byte === (isObject ? closeBrace : closeBracket));
      this.#closeContainer(isObject);
      return;
    }
    this.#position += 1;
    this.#state = isObject ? anyName : anyValue;
    if (!isObject) this.#copier.startElement(this.#containers.depth);
  }

  #startName(byte: number): void {
    this.#expect(byte === quote);
    this.#startString(true, this.#copier.isNameNeeded(this.#containers.depth));
  }

  #startString(isName: boolean, isNeeded: boolean): void {
    this.#isName = isName;
    this.#stringHead = isNeeded ? noBytes : undefined;
    this.#stringStart = this.#position;
    this.#position += 1;
    this.#state = insideString;
  }

  #startValue(byte: number, isLast: boolean): void {
    const isContainer = byte === openBrace || byte === openBracket;
    if (isContainer || byte === quote) {
      const { depth, isInObject } = this.#containers;
      this.#copier.startValue(byte, this.#position, depth);
      if (isContainer) this.#openContainer(byte === openBrace);
      else this.#startString(false, this.#copier.isTextKept(depth, isInObject));
      return;
    }
    const end = endOfScalar(this.#chunk, this.#position);
    if (end === this.#chunk.length && !isLast) {
      if (end - this.#position > maxTokenBytes) throw this.#syntaxError(this.#position);
      this.#holdBack(this.#position);
      return;
    }
    const text = this.#chunk.toString('latin1', this.#position, end);
    if (text.length > maxTokenBytes || !scalar.test(text)) {
      const [validStart = ''] = numberStart.exec(text) ?? [];
      throw this.#syntaxError(this.#position + validStart.length);
    }
    this.#copier.startValue(byte, this.#position, this.#containers.depth);
    this.#position = end;
    this.#endValue(byte);
  }

  #openContainer(isObject: boolean): void {
    this.#containers.push(isObject);
    this.#position += 1;
    this.#state = isObject ? nameOrEnd : valueOrEnd;
    this.#copier.openContainer(isObject, this.#position);
  }

  #closeContainer(isObject: boolean): void {
    this.#copier.closeContainer(isObject, this.#position, this.#containers.depth);
    this.#containers.pop();
    this.#position += 1;
    this.#endValue(isObject ? openBrace : openBracket);
  }

  /** Reads on in a string, until it or the chunk ends. */
  #readString(): void {
    const chunk = this.#chunk;
    let position = this.#position;
    while (position < chunk.length) {
      const byte = chunk[position] ?? 0;
      if (byte === quote) {
        this.#position = position + 1;
        this.#endString();
        return;
      }
      if (byte === backslash) {
        const end = endOfEscape(chunk, position);
        if (end > chunk.length) {
          this.#holdBack(position);
          break;
        }
        if (end === 0) throw this.#syntaxError(position + 1);
        position = end;
      } else if (byte < 0x20) {
        throw this.#syntaxError(position);
      } else {
        position += 1;
      }
    }
    this.#position = position;
  }

  #endString(): void {
    const json = this.#takeString()?.toString();
    if (!this.#isName) {
      if (json !== undefined) this.#copier.keepText(json);
      this.#endValue(quote);
      return;
    }
    this.#state = nameEnd;
    const name = json === undefined ? '' : (JSON.parse(json) as string);
    this.#copier.startMember(name, this.#containers.depth);
  }

  /** The string that has ended, with its quotes, where it was needed and is short. */
  #takeString(): Buffer | undefined {
    const head = this.#stringHead;
    this.#stringHead = undefined;
    if (head === undefined) return undefined;
    const text = Buffer.concat([head, this.#chunk.subarray(this.#stringStart, this.#position)]);
    return text.length <= maxTokenBytes ? text : undefined;
  }

  /** @param byte the first one of the value */
  #endValue(byte: number): void {
    const { depth } = this.#containers;
    this.#state = depth === 0 ? documentEnd : commaOrEnd;
    this.#copier.endValue(byte, this.#position, depth);
  }
}

/** The bytes are not JSON. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  /** UTF-16 units before the place where the text stops being JSON. */
  readonly offset: number;
  readonly isUtf8: boolean;

  constructor(offset: number, isUtf8 = true) {
    super(isUtf8 ? `No JSON after ${offset} characters` : 'The bytes are not UTF-8');
    this.offset = offset;
    this.isUtf8 = isUtf8;
  }
}

/** Which of the open containers are objects. One bit for each: a body may open 60 million of them. */
class ContainerStack {
  depth = 0;
  #bits = new Uint8Array(16);

  get isInObject(): boolean {
    const index = this.depth - 1;
    return index >= 0 && ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  push(isObject: boolean): void {
    const index = this.depth >> 3;
    if (index === this.#bits.length) {
      const larger = new Uint8Array(2 * index);
      larger.set(this.#bits);
      this.#bits = larger;
    }
    const bit = 1 << (this.depth & 7);
    this.#bits[index] = isObject ? (this.#bits[index] ?? 0) | bit : (this.#bits[index] ?? 0) & ~bit;
    this.depth += 1;
  }

  pop(): void {
    this.depth -= 1;
  }
}
