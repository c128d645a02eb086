/**
 * The text of a JSON number. A JavaScript number has 53 bits and does not distinguish `1`, `1.0` and `1e0`; sums of
 * tokens are larger, and the tests check which texts are integers.
 */
export class JsonNumber {
  readonly text: string;

  constructor(text: string | number | bigint) {
    this.text = String(text);
  }
}

/** An object is a Map, which keeps the order of keys that look like integers and has no `__proto__`. */
export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;

export type JsonObject = Map<string, Json>;

export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

/** Converts plain JavaScript values to JSON. Values that are JSON already stay as they are; `undefined` is omitted. */
export function toJson(value: unknown): Json {
  if (typeof value === 'number' || typeof value === 'bigint') return new JsonNumber(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map || value instanceof JsonNumber) return value as Json;
  if (typeof value === 'object' && value !== null) return toObject(value);
  return value as Json;
}

export function toObject(fields: object): JsonObject {
  const object: JsonObject = new Map();
  for (const [key, value] of Object.entries(fields) as [string, unknown][]) {
    if (value !== undefined) object.set(key, toJson(value));
  }
  return object;
}

export function writeJson(value: Json): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (value instanceof Map) {
    const entries = [...value].map(([key, entry]) => `${JSON.stringify(key)}:${writeJson(entry)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value);
}

const token =
  /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|([a-z]+))/y;

/** Parses JSON without losing a digit of a number or the order of keys. */
export function parseJson(text: string): Json {
  const tokens = toTokens(text);
  let place = 0;
  const value = (): Json => {
    const word = tokens[place++];
    if (word === '{') return object();
    if (word === '[') return array();
    if (word?.startsWith('"') === true) return JSON.parse(word) as string;
    if (word === 'null') return null;
    if (word === 'true' || word === 'false') return word === 'true';
    if (word !== undefined && /^[-\d]/.test(word)) return new JsonNumber(word);
    throw new SyntaxError(`${String(word)} instead of a JSON value`);
  };
  const expectWord = (...words: string[]): string => {
    const word = tokens[place++];
    if (word === undefined || !words.includes(word)) {
      throw new SyntaxError(`${String(word)} instead of ${words.join(' or ')}`);
    }
    return word;
  };
  const object = (): JsonObject => {
    const entries: JsonObject = new Map();
    if (tokens[place] === '}') place += 1;
    else {
      do {
        const key = JSON.parse(tokens[place++] ?? '') as string;
        if (entries.has(key)) throw new SyntaxError(`Duplicate key ${key}`);
        expectWord(':');
        entries.set(key, value());
      } while (expectWord(',', '}') === ',');
    }
    return entries;
  };
  const array = (): Json[] => {
    const entries: Json[] = [];
    if (tokens[place] === ']') place += 1;
    else {
      do entries.push(value());
      while (expectWord(',', ']') === ',');
    }
    return entries;
  };
  const root = value();
  if (place !== tokens.length) throw new SyntaxError(`${String(tokens[place])} after the end`);
  return root;
}

function toTokens(text: string): string[] {
  const tokens: string[] = [];
  const trimmed = text.trim();
  token.lastIndex = 0;
  while (token.lastIndex < trimmed.length) {
    const from = token.lastIndex;
    const match = token.exec(trimmed);
    if (match === null) throw new SyntaxError(`Invalid JSON: ${trimmed.slice(from, from + 40)}`);
    tokens.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
  }
  return tokens;
}
