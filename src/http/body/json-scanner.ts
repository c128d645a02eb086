import { isAscii, isUtf8 } from 'node:buffer';

/** What is done with a value at some place of a document, and with the values below it. */
export interface JsonRule {
  /** The rules of an object's members, by their names. */
  readonly members?: Readonly<Record<string, JsonRule>>;
  /** Hands every element of an array over by itself; the text of the document then has an empty array. */
  readonly items?: JsonRule;
  /** Leaves the value out: an empty value of the same type takes its place. It is checked, but neither built nor counted. */
  readonly omit?: Omission;
}

/** What stays of a value that is left out. */
interface Omission {
  /** Members of an object that stay, where they are short text. */
  readonly keep: readonly string[];
  /** Hand the value over as it was sent, beside the item. */
  readonly isRawWanted: boolean;
}

/** Gets the items of a document. */
export interface JsonItemHandler {
  /** An array of items begins. Of an array that stands twice in a document, as of any member, the last one counts. */
  startItems(): void;
  /**
   * @param text the item without what is left out; undefined where it has more values or bytes than allowed
   * @param raw what was left out and is wanted as it was sent, by the member's name
   */
  item(text: string | undefined, raw: ReadonlyMap<string, Buffer>): void;
}

export interface JsonLimits {
  /** Values of one item, and of the document without its items. */
  readonly maxValues: number;
  /** Bytes of one item, and of the document without its items, without what is left out. */
  readonly maxBytes: number;
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

/** The document without its items has more values or bytes than allowed. */
export class JsonTooLargeError extends Error {
  override readonly name = 'JsonTooLargeError';
}

/** The longest name of a member that a rule can have, text that stays of an omitted object, and number. */
const maxTokenBytes = 2_000;

/** The text of the document or of an item, as far as it has been read. */
interface Copy {
  /** How many containers the value is in. */
  readonly depth: number;
  readonly pieces: Buffer[];
  /** How many pieces are copies; the others are views of the chunk and would keep all of it in memory. */
  ownPieces: number;
  bytes: number;
  values: number;
  raw: Map<string, Buffer> | undefined;
  rawBytes: number;
}

/** A value that is left out and has not ended yet. */
interface OpenOmission {
  readonly depth: number;
  readonly name: string;
  readonly rule: Omission;
  /** The texts of members that stay, by name. */
  readonly kept: Map<string, string>;
  readonly raw: Buffer[];
}

// What may come next.
const anyValue = 0;
const valueOrEnd = 1;
const nameOrEnd = 2;
const anyName = 3;
const colon = 4;
const commaOrEnd = 5;
const insideString = 6;
const documentEnd = 7;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;

const noBytes: Buffer = Buffer.alloc(0);
const noRaw: ReadonlyMap<string, Buffer> = new Map();

/**
 * Reads a JSON document as it arrives. It checks that the bytes are UTF-8 and JSON, counts values before any of them is
 * built, hands items over one by one, and leaves out what nobody needs, so that a body of any size takes no more memory
 * than its largest item. It accepts what `JSON.parse` accepts, but for numbers of more than 2,000 characters.
 */
export class JsonScanner {
  readonly #limits: JsonLimits;
  readonly #handler: JsonItemHandler | undefined;
  /** The objects and arrays that have not ended yet. */
  readonly #containers = new ContainerStack();
  /** The rules of the outermost containers; those further in have none. */
  readonly #rules: JsonRule[] = [];
  readonly #document: Copy = newCopy(0);
  #item: Copy | undefined;
  #omission: OpenOmission | undefined;
  #state = anyValue;
  /** What the end of the last chunk began and did not end: a character, a number, an escape. */
  #rest: Buffer = noBytes;
  #chunk: Buffer = noBytes;
  #position = 0;
  /** UTF-16 units before this chunk. */
  #offset = 0;
  /** Where the bytes begin that are copied next; -1 while nothing is. */
  #copiedFrom = 0;
  #isName = false;
  /** The string that is being read, where it is needed by itself: its bytes of earlier chunks. */
  #stringHead: Buffer | undefined;
  #stringStart = 0;
  /** The name of the member that is being read, where a rule may have it. */
  #name = '';
  /** The rule of the value that comes next. */
  #rule: JsonRule | undefined;

  constructor(rule: JsonRule, limits: JsonLimits, handler?: JsonItemHandler) {
    this.#rule = rule;
    this.#limits = limits;
    this.#handler = handler;
  }

  /** Bytes of the text that was copied and not handed over yet. */
  get heldBytes(): number {
    const item = this.#item;
    const itemBytes = item === undefined ? 0 : item.bytes + item.rawBytes;
    const { bytes, rawBytes } = this.#document;
    return bytes + rawBytes + itemBytes + this.#rest.length;
  }

  /** What was left out of the document and is wanted as it was sent, by the member's name. */
  get raw(): ReadonlyMap<string, Buffer> {
    return this.#document.raw ?? noRaw;
  }

  /** Values of the document so far, without its items. */
  get values(): number {
    return this.#document.values;
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
   * @returns its text, with an empty array in place of items; empty where there was nothing but white space
   * @throws {JsonSyntaxError} the document has not ended
   */
  end(): string {
    const isEmpty = this.#offset === 0 && this.#rest.length === 0;
    this.#startChunk(noBytes);
    this.#read(true);
    if (this.#position < this.#chunk.length || (this.#state !== documentEnd && !isEmpty)) {
      throw this.#syntaxError(this.#position);
    }
    this.#endChunk();
    return toText(this.#document);
  }

  #startChunk(bytes: Buffer): void {
    this.#chunk = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = noBytes;
    this.#position = 0;
    if (this.#offset === 0) this.#passByteOrderMark();
    const whole = this.#chunk.length - incompleteBytes(this.#chunk);
    if (whole < this.#chunk.length && bytes.length > 0) this.#holdBack(whole);
    if (!isUtf8(this.#chunk)) throw new JsonSyntaxError(this.#offset, false);
  }

  #passByteOrderMark(): void {
    if (this.#chunk[0] === 0xef && this.#chunk[1] === 0xbb && this.#chunk[2] === 0xbf) {
      this.#position = 3;
      this.#copiedFrom = 3;
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
    this.#copyUpTo(this.#chunk.length);
    if (this.#copiedFrom >= 0) this.#copiedFrom = 0;
    detachFromChunk(this.#document);
    if (this.#item !== undefined) detachFromChunk(this.#item);
    this.#offset += countUnits(this.#chunk);
  }

  #read(isLast: boolean): void {
    while (this.#position < this.#chunk.length) {
      const byte = this.#chunk[this.#position] ?? 0;
      const before = this.#position;
      if (this.#state === insideString) this.#readString();
      else if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)
        this.#position += 1;
      else this.#readToken(byte, isLast);
      // What is not complete yet is held back.
      if (this.#position === before) return;
    }
  }

  #readToken(byte: number, isLast: boolean): void {
    switch (this.#state) {
      case anyValue:
        this.#startValue(byte, isLast);
        break;
      case valueOrEnd:
        if (byte === closeBracket) this.#closeContainer(byte);
        else this.#startValue(byte, isLast);
        break;
      case nameOrEnd:
        if (byte === closeBrace) this.#closeContainer(byte);
        else this.#startName(byte);
        break;
      case anyName:
        this.#startName(byte);
        break;
      case colon:
        this.#expect(byte === 0x3a);
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
      this.#closeContainer(byte);
      return;
    }
    this.#position += 1;
    this.#state = isObject ? anyName : anyValue;
    if (!isObject) this.#rule = this.#containerRule()?.items;
  }

  #startName(byte: number): void {
    this.#expect(byte === quote);
    const isKeptMember = this.#omission?.depth === this.#containers.depth - 1;
    this.#startString(true, this.#containerRule()?.members !== undefined || isKeptMember);
  }

  /** The rule of the innermost container. */
  #containerRule(): JsonRule | undefined {
    return this.#rules[this.#containers.depth - 1];
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
      this.#beginValue(byte);
      if (isContainer) this.#openContainer(byte);
      else this.#startString(false, this.#isKeptMember());
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
    this.#beginValue(byte);
    this.#position = end;
    this.#endValue(byte);
  }

  #isKeptMember(): boolean {
    const omission = this.#omission;
    return (
      omission !== undefined &&
      omission.depth === this.#containers.depth - 1 &&
      this.#containers.isInObject &&
      omission.rule.keep.includes(this.#name)
    );
  }

  #openContainer(byte: number): void {
    const isObject = byte === openBrace;
    const rule = this.#omission === undefined ? this.#rule : undefined;
    this.#containers.push(isObject);
    if (rule !== undefined) this.#rules.push(rule);
    this.#position += 1;
    this.#state = isObject ? nameOrEnd : valueOrEnd;
    this.#rule = isObject ? undefined : rule?.items;
    if (isObject || rule?.items === undefined) return;
    this.#copyUpTo(this.#position);
    this.#copiedFrom = -1;
    this.#handler?.startItems();
  }

  #closeContainer(byte: number): void {
    const hasItems = byte === closeBracket && this.#containerRule()?.items !== undefined;
    if (hasItems) this.#copiedFrom = this.#position;
    this.#containers.pop();
    if (this.#rules.length > this.#containers.depth) this.#rules.pop();
    this.#position += 1;
    this.#endValue(byte === closeBrace ? openBrace : openBracket);
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
    const text = this.#takeString();
    if (!this.#isName) {
      if (text !== undefined) {
        this.#omission?.kept.set(this.#name, text.toString());
      }
      this.#endValue(quote);
      return;
    }
    this.#state = colon;
    this.#name = text === undefined ? '' : (JSON.parse(text.toString()) as string);
    if (this.#omission?.depth === this.#containers.depth - 1) {
      // Of a member that is repeated, the last one counts.
      this.#omission.kept.delete(this.#name);
    }
    const members = this.#omission === undefined ? this.#containerRule()?.members : undefined;
    this.#rule =
      members !== undefined && Object.hasOwn(members, this.#name) ? members[this.#name] : undefined;
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
  #beginValue(byte: number): void {
    if (this.#omission !== undefined) return;
    const rule = this.#rule;
    if (this.#copiedFrom === -1) {
      this.#item = newCopy(this.#containers.depth);
      this.#copiedFrom = this.#position;
    }
    this.#count();
    const isLong = byte === openBrace || byte === openBracket || byte === quote;
    if (rule?.omit === undefined) return;
    if (!isLong) {
      (this.#item ?? this.#document).raw?.delete(this.#name);
      return;
    }
    this.#copyUpTo(this.#position);
    this.#copiedFrom = this.#position;
    const { depth } = this.#containers;
    this.#omission = { depth, name: this.#name, rule: rule.omit, kept: new Map(), raw: [] };
  }

  #count(): void {
    const copy = this.#item ?? this.#document;
    copy.values += 1;
    if (copy.values > this.#limits.maxValues && copy === this.#document) {
      throw new JsonTooLargeError(`more than ${this.#limits.maxValues} values`);
    }
  }

  /** Copies what was read and has not been copied yet. */
  #copyUpTo(end: number): void {
    if (this.#copiedFrom < 0 || end <= this.#copiedFrom) return;
    const piece = this.#chunk.subarray(this.#copiedFrom, end);
    const copy = this.#item ?? this.#document;
    if (this.#omission !== undefined) {
      if (!this.#omission.rule.isRawWanted) return;
      this.#omission.raw.push(piece);
      copy.rawBytes += piece.length;
      return;
    }
    copy.bytes += piece.length;
    if (!this.#isTooLarge(copy)) copy.pieces.push(piece);
    else if (copy === this.#item) copy.pieces.length = copy.ownPieces = 0;
    else throw new JsonTooLargeError(`more than ${this.#limits.maxBytes} bytes`);
  }

  #isTooLarge({ bytes, values }: Copy): boolean {
    return bytes > this.#limits.maxBytes || values > this.#limits.maxValues;
  }

  /** @param byte the first one of the value */
  #endValue(byte: number): void {
    const { depth } = this.#containers;
    this.#state = depth === 0 ? documentEnd : commaOrEnd;
    if (this.#omission?.depth === depth) this.#endOmission(this.#omission, byte);
    if (this.#item?.depth === depth) this.#endItem(this.#item);
  }

  #endOmission({ name, rule, kept, raw }: OpenOmission, byte: number): void {
    this.#copyUpTo(this.#position);
    this.#copiedFrom = this.#position;
    this.#omission = undefined;
    const copy = this.#item ?? this.#document;
    copy.pieces.push(
      Buffer.from(byte === openBrace ? toObjectText(kept) : (emptyTexts[byte] ?? '')),
    );
    if (rule.isRawWanted) (copy.raw ??= new Map()).set(name, Buffer.concat(raw));
  }

  #endItem(item: Copy): void {
    this.#copyUpTo(this.#position);
    this.#copiedFrom = -1;
    this.#item = undefined;
    const text = this.#isTooLarge(item) ? undefined : toText(item);
    this.#handler?.item(text, item.raw ?? noRaw);
  }
}

const emptyTexts: Readonly<Record<number, string>> = { [openBracket]: '[]', [quote]: '""' };

function countUnits(bytes: Buffer): number {
  return isAscii(bytes) ? bytes.length : bytes.toString().length;
}

function newCopy(depth: number): Copy {
  return { depth, pieces: [], ownPieces: 0, bytes: 0, values: 0, raw: undefined, rawBytes: 0 };
}

/** Copies the pieces that are views of a chunk. */
function detachFromChunk(copy: Copy): void {
  if (copy.pieces.length === copy.ownPieces) return;
  copy.pieces.push(Buffer.concat(copy.pieces.splice(copy.ownPieces)));
  copy.ownPieces = copy.pieces.length;
}

function toObjectText(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join()}}`;
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

function toText({ pieces }: Copy): string {
  const [only] = pieces;
  return (pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)).toString();
}

/** How many bytes at the end begin a character that they do not end. */
function incompleteBytes(bytes: Buffer): number {
  for (let count = 1; count <= Math.min(3, bytes.length); count += 1) {
    const byte = bytes[bytes.length - count] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > count ? count : 0;
  }
  return 0;
}

const escapes = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));

/** @returns beyond the bytes where the escape has not ended; 0 where there is no such escape */
function endOfEscape(bytes: Buffer, start: number): number {
  const byte = bytes[start + 1];
  if (byte === undefined) return start + 2;
  if (escapes.has(byte)) return start + 2;
  if (byte !== 0x75) return 0;
  const digits = bytes.toString('latin1', start + 2, start + 6);
  return /^[0-9A-Fa-f]*$/.test(digits) ? start + 6 : 0;
}

const scalar = /^(?:null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** Where a number goes on with something else, `01` for example, the error is there. */
const numberStart = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;

function endOfScalar(bytes: Buffer, start: number): number {
  let end = start;
  while (end < bytes.length && isOfScalar(bytes[end] ?? 0)) end += 1;
  return end;
}

/** Letters, digits, signs and the decimal point. */
function isOfScalar(byte: number): boolean {
  const isLetter = byte >= 0x61 && byte <= 0x7a;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  return isLetter || isDigit || byte === 0x2d || byte === 0x2e || byte === 0x2b || byte === 0x45;
}
