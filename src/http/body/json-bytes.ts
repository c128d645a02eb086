import { isAscii } from 'node:buffer';

/** The bytes that JSON is made of, and where its tokens end. */
export const quote = 0x22;
export const backslash = 0x5c;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;
export const openBracket = 0x5b;
export const closeBracket = 0x5d;
export const comma = 0x2c;

export const colon = 0x3a;

/** UTF-16 units of text in UTF-8. */
export function countUnits(bytes: Buffer): number {
  return isAscii(bytes) ? bytes.length : bytes.toString().length;
}

/** Space, line feed, carriage return and tab: all that JSON allows between tokens. */
export function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** How many bytes at the end begin a character that they do not end. */
export function incompleteBytes(bytes: Buffer): number {
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
export function endOfEscape(bytes: Buffer, start: number): number {
  const byte = bytes[start + 1];
  if (byte === undefined) return start + 2;
  if (escapes.has(byte)) return start + 2;
  if (byte !== 0x75) return 0;
  const digits = bytes.toString('latin1', start + 2, start + 6);
  return /^[0-9A-Fa-f]*$/.test(digits) ? start + 6 : 0;
}

/** A whole number, or one of the three names. */
export const scalar = /^(?:null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** Where a number goes on with something else, `01` for example, the error is there. */
export const numberStart = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;

export function endOfScalar(bytes: Buffer, start: number): number {
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
