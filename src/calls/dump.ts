/** A string, or an integer too long for 64 bits, in JSON text. */
const stringOrLongInteger = /"(?:[^"\\]|\\.)*"|-?\d{19,}(?![\d.eE])/g;

/** What ClickHouse's JSON reader refuses: integers beyond 64 bits, and halves of surrogate pairs. */
const unreadable = /\d{19}|\\ud[89a-f]/;

/**
 * Writes a value as the JSON text that `call_parts` keeps. The text is one that ClickHouse can read, since it
 * would otherwise find no usage in it: an integer of 19 digits or more gets a decimal point, which leaves its
 * value, and half of a surrogate pair, which is no character, becomes U+FFFD.
 */
export function toDump(value: unknown): string {
  const text = JSON.stringify(value);
  if (!unreadable.test(text)) return text;
  return text.replace(stringOrLongInteger, (token) =>
    token.startsWith('"') ? withoutLoneSurrogates(token) : `${token}.0`,
  );
}

/** JSON.stringify writes whole pairs as characters: what it escapes is half of one. */
function withoutLoneSurrogates(token: string): string {
  return token.replace(/\\(?:ud[89a-f][0-9a-f]{2}|[^])/g, (escape) =>
    escape.startsWith('\\ud') ? '\\ufffd' : escape,
  );
}
