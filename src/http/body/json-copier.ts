import { openBrace, openBracket, quote } from './json-bytes.ts';

/**
 * Copies what is needed of a JSON document while {@link JsonScanner} reads it: the text of the document and of its items,
 * without what is left out. It counts values before any of them is built.
 *
 * Positions are those in the chunk, depths the number of containers that have not ended.
 */
export class JsonCopier {
  readonly #limits: JsonLimits;
  readonly #handler: JsonItemHandler | undefined;
  /** The rules of the outermost containers; those further in have none. */
  readonly #rules: JsonRule[] = [];
  readonly #document: Copy = newCopy(0);
  #item: Copy | undefined;
  #omission: OpenOmission | undefined;
  #chunk: Buffer = noBytes;
  /** Where the bytes begin that are copied next; -1 while nothing is. */
  #copiedFrom = 0;
  /** The name of the member that is being read, where a rule may have it. */
  #name = '';
  /** The rule of the value that comes next. */
  #rule: JsonRule | undefined;

  constructor(rule: JsonRule, limits: JsonLimits, handler?: JsonItemHandler) {
    this.#rule = rule;
    this.#limits = limits;
    this.#handler = handler;
  }

  /** Bytes that were copied and not handed over yet. */
  get heldBytes(): number {
    const item = this.#item;
    const itemBytes = item === undefined ? 0 : item.bytes + item.rawBytes;
    const { bytes, rawBytes } = this.#document;
    return bytes + rawBytes + itemBytes;
  }

  /** What was left out of the document and is wanted as it was sent, by the member's name. */
  get raw(): ReadonlyMap<string, Buffer> {
    return this.#document.raw ?? noRaw;
  }

  /** Values of the document so far, without its items. */
  get values(): number {
    return this.#document.values;
  }

  /** The document in UTF-8, with an empty array in place of items. */
  get bytes(): Buffer {
    return toBytes(this.#document);
  }

  startChunk(chunk: Buffer): void {
    this.#chunk = chunk;
  }

  /** Copies the rest of the chunk, so that nothing refers to it. */
  endChunk(end: number): void {
    this.#copyUpTo(end);
    if (this.#copiedFrom >= 0) this.#copiedFrom = 0;
    this.#chunk = noBytes;
    detachFromChunk(this.#document);
    if (this.#item !== undefined) detachFromChunk(this.#item);
  }

  /** Leaves bytes between two tokens out, except of what is wanted as it was sent. */
  skip(start: number, end: number): void {
    if (this.#copiedFrom < 0 || this.#omission !== undefined) return;
    this.#copyUpTo(start);
    this.#copiedFrom = end;
  }

  /** Whether a rule may have the name of a member in the innermost container. */
  isNameNeeded(depth: number): boolean {
    return this.#rules[depth - 1]?.members !== undefined || this.#omission?.depth === depth - 1;
  }

  /** Whether the member that is being read is a text that stays of an omitted object. */
  isTextKept(depth: number, isInObject: boolean): boolean {
    const omission = this.#omission;
    return (
      omission !== undefined &&
      omission.depth === depth - 1 &&
      isInObject &&
      omission.rule.keep.includes(this.#name)
    );
  }

  /** @param name empty where it is not needed, or is too long for a rule */
  startMember(name: string, depth: number): void {
    this.#name = name;
    const omission = this.#omission;
    // Of a member that is repeated, the last one counts.
    if (omission?.depth === depth - 1) omission.kept.delete(name);
    const members = omission === undefined ? this.#rules[depth - 1]?.members : undefined;
    this.#rule = members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined;
  }

  startElement(depth: number): void {
    this.#rule = this.#rules[depth - 1]?.items;
  }

  /** @param json a text for which {@link isTextKept} was true, as JSON */
  keepText(json: string): void {
    this.#omission?.kept.set(this.#name, json);
  }

  /** @param byte the first one of the value */
  startValue(byte: number, position: number, depth: number): void {
    if (this.#omission !== undefined) return;
    const rule = this.#rule;
    if (this.#copiedFrom === -1) {
      this.#item = newCopy(depth);
      this.#copiedFrom = position;
    }
    this.#count();
    const isLong = byte === openBrace || byte === openBracket || byte === quote;
    if (rule?.omit === undefined) return;
    if (!isLong) {
      (this.#item ?? this.#document).raw?.delete(this.#name);
      return;
    }
    this.#copyUpTo(position);
    this.#copiedFrom = position;
    this.#omission = { depth, name: this.#name, rule: rule.omit, kept: new Map(), raw: [] };
  }

  /** @param position behind the bracket */
  openContainer(isObject: boolean, position: number): void {
    const rule = this.#omission === undefined ? this.#rule : undefined;
    if (rule !== undefined) this.#rules.push(rule);
    this.#rule = isObject ? undefined : rule?.items;
    if (isObject || rule?.items === undefined) return;
    this.#copyUpTo(position);
    this.#copiedFrom = -1;
    this.#handler?.startItems();
  }

  /**
   * @param position of the bracket
   * @param depth with the container
   */
  closeContainer(isObject: boolean, position: number, depth: number): void {
    if (!isObject && this.#rules[depth - 1]?.items !== undefined) this.#copiedFrom = position;
    if (this.#rules.length >= depth) this.#rules.pop();
  }

  /**
   * @param byte the first one of the value
   * @param position behind the value
   */
  endValue(byte: number, position: number, depth: number): void {
    if (this.#omission?.depth === depth) this.#endOmission(this.#omission, byte, position);
    if (this.#item?.depth === depth) this.#endItem(this.#item, position);
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

  #endOmission({ name, rule, kept, raw }: OpenOmission, byte: number, position: number): void {
    this.#copyUpTo(position);
    this.#copiedFrom = position;
    this.#omission = undefined;
    const copy = this.#item ?? this.#document;
    copy.pieces.push(
      Buffer.from(byte === openBrace ? toObjectText(kept) : (emptyTexts[byte] ?? '')),
    );
    if (rule.isRawWanted) (copy.raw ??= new Map()).set(name, Buffer.concat(raw));
  }

  #endItem(item: Copy, position: number): void {
    this.#copyUpTo(position);
    this.#copiedFrom = -1;
    this.#item = undefined;
    const text = this.#isTooLarge(item) ? undefined : toBytes(item).toString();
    this.#handler?.item(text, item.raw ?? noRaw);
  }
}

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

/** The document without its items has more values or bytes than allowed. */
export class JsonTooLargeError extends Error {
  override readonly name = 'JsonTooLargeError';
}

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

const noBytes: Buffer = Buffer.alloc(0);
const noRaw: ReadonlyMap<string, Buffer> = new Map();

const emptyTexts: Readonly<Record<number, string>> = { [openBracket]: '[]', [quote]: '""' };

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

function toBytes({ pieces }: Copy): Buffer {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}
