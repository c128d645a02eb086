/** One setting: its name in the environment, its default, and how its text is read. */
export interface Setting<T> {
  readonly name: string;
  /** As text, the way it would be set; `undefined` if there is no default. */
  readonly default: string | undefined;
  readonly description: string;
  readonly parse: (text: string) => T;
}

export function text(name: string, fallback: string, description: string): Setting<string> {
  return { name, default: fallback, description, parse: (value) => value };
}

export function optionalText(name: string, description: string): Setting<string | undefined> {
  return { name, default: undefined, description, parse: (value) => value };
}

export function origins(name: string, description: string): Setting<readonly string[] | undefined> {
  const parse = (value: string): readonly string[] => {
    const list = value.split(',').map((origin) => origin.trim());
    const invalid = list.find((origin) => !isOrigin(origin));
    if (invalid === undefined) return list;
    throw new Error(
      `${name} contains ${JSON.stringify(invalid)}; an origin is a scheme, a host and a port ` +
        'that is not the default, such as https://dashboard.example or http://localhost:3000.',
    );
  };
  return { name, default: undefined, description, parse };
}

/** Whether a text is an origin as browsers write it. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

export function integer(
  name: string,
  fallback: number,
  [min, max]: readonly [number, number],
  description: string,
): Setting<number> {
  const parse = (value: string): number => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    throw new Error(
      `${name} is ${JSON.stringify(value)}; it must be a whole number from ${min} to ${max}.`,
    );
  };
  return { name, default: String(fallback), description, parse };
}

export function boolean(name: string, fallback: boolean, description: string): Setting<boolean> {
  const { parse, ...rest } = oneOf(name, String(fallback), ['true', 'false'], description);
  return { ...rest, parse: (value) => parse(value) === 'true' };
}

export function oneOf<const T extends string>(
  name: string,
  fallback: T,
  allowed: readonly T[],
  description: string,
): Setting<T> {
  const parse = (value: string): T => {
    const found = allowed.find((each) => each === value);
    if (found !== undefined) return found;
    throw new Error(
      `${name} is ${JSON.stringify(value)}; it must be one of ${allowed.join(', ')}.`,
    );
  };
  return { name, default: fallback, description, parse };
}
