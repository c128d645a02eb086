/** Something like half of a surrogate pair, or like an integer beyond 64 bits: ClickHouse's reader refuses both. */
const halfPair = /\\ud[89a-f]/;
const manyDigits = /\d{19}/;

const number = /-?\d+(?:\.\d+)?(?:e[+-]\d+)?/g;
const longInteger = /^-?\d{19,}$/;

/**
 * Writes a value as the JSON text that `call_parts` keeps. The text is one that ClickHouse can read, since it
 * would otherwise find no usage in it: an integer of 19 digits or more gets a decimal point, which leaves its
 * value, and half of a surrogate pair, which is no character, becomes U+FFFD.
 */
export function toDump(value: unknown): string {
  let text = JSON.stringify(value);
  if (halfPair.test(text)) text = withoutLoneSurrogates(text);
  if (manyDigits.test(text)) text = withoutLongIntegers(text);
  return text;
}

/** JSON.stringify writes whole pairs as characters: what it escapes is half of one. */
function withoutLoneSurrogates(text: string): string {
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|[^])/g, (escape) =>
    escape.startsWith('\\ud') ? '\\ufffd' : escape,
  );
}

/** Strings are stepped over by hand: a regular expression runs out of stack in one of a few megabytes. */
function withoutLongIntegers(text: string): string {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const start = quote === -1 ? text.length : quote;
    const end = quote === -1 ? text.length : endOfString(text, quote);
    pieces.push(text.slice(at, start).replace(number, withDecimalPoint), text.slice(start, end));
    at = end;
  }
  return pieces.join('');
}

function withDecimalPoint(token: string): string {
  return longInteger.test(token) ? `${token}.0` : token;
}

/** Where the string that begins at `quote` has ended. */
function endOfString(text: string, quote: number): number {
  let end = text.indexOf('"', quote + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text[first - 1] === '\\') first -= 1;
  return (index - first) % 2 === 1;
}
