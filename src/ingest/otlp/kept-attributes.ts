import { useOfAttribute } from './attribute-names.ts';
import type { Attributes } from './received-span.ts';

/** Bytes of the text at most. */
const maxBytes = 4_096;

/**
 * The attributes that say what a span spent, as they were sent, with the name of its scope: from them a later version of
 * the rules can read them again. A value that does not fit is left out, as prompts are.
 * @returns a JSON object; empty where a span has no such attribute
 */
export function toKeptAttributes(attributes: Attributes, scope: string): string {
  let text = '';
  let bytes = 2;
  const add = (name: string, value: unknown): void => {
    const member = `${text === '' ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`;
    const size = Buffer.byteLength(member);
    if (bytes + size > maxBytes) return;
    bytes += size;
    text += member;
  };
  for (const [name, value] of attributes) if (useOfAttribute(name)?.isKept) add(name, value);
  if (text === '') return '';
  add(scopeName, scope);
  return `{${text}}`;
}

const scopeName = 'otel.scope.name';
