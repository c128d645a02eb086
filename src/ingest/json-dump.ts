/** Candidates for a lone surrogate and for an integer beyond 64 bits: ClickHouse's JSON parser refuses both. */
const loneSurrogate = /\\ud[89a-f]/;
const manyDigits = /\d{19}/;

const number = /-?\d+(?:\.\d+)?(?:e[+-]\d+)?/g;
const longInteger = /^-?\d{19,}$/;

/**
 * Returns a value as the JSON text that `call_parts` stores. ClickHouse can parse it, since it would find no usage in it
 * otherwise: an integer of 19 digits or more gets a decimal point, which does not change its value, and a lone
 * surrogate, which is no character, becomes U+FFFD.
 */
export function toDump(value: unknown): string {
  let text = JSON.stringify(value);
  if (loneSurrogate.test(text)) text = withoutLoneSurrogates(text);
  if (manyDigits.test(text)) text = withoutLongIntegers(text);
  return text;
}

/** JSON.stringify writes surrogate pairs as characters: those that it escapes are lone. */
function withoutLoneSurrogates(text: string): string {
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|[^])/g, (escape) =>
    escape.startsWith('\\ud') ? '\\ufffd' : escape,
  );
}

/** Skips strings without a regular expression, which runs out of stack in a string of a few megabytes. */
function withoutLongIntegers(text: string): string {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const quote = text.indexOf('"', start);
    const stringStart = quote === -1 ? text.length : quote;
    const stringEnd = quote === -1 ? text.length : findStringEnd(text, quote);
    pieces.push(
      text.slice(start, stringStart).replace(number, withDecimalPoint),
      text.slice(stringStart, stringEnd),
    );
    start = stringEnd;
  }
  return pieces.join('');
}

function withDecimalPoint(token: string): string {
  return longInteger.test(token) ? `${token}.0` : token;
}

/** @returns the index after the string that starts at `quote` */
function findStringEnd(text: string, quote: number): number {
  let end = text.indexOf('"', quote + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text[first - 1] === '\\') first -= 1;
  return (index - first) % 2 === 1;
}
