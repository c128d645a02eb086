import type { ValidateFunction } from 'ajv';
import { apiErrors, type Fault } from '../errors.ts';
import { toFaults } from './faults.ts';

/** Where a value stands in a request, such as `['body', 'batch', 3]`. */
export type Location = readonly (string | number)[];

/** Checks values against one schema of the OpenAPI documents. */
export interface Checker<T> {
  /** Every fault of a value, each once; a value without any is a `T`. */
  faultsIn(value: unknown, at: Location): Fault[];
  /**
   * @returns the value, defaults filled in
   * @throws {ApiError} 422 with every fault
   */
  parse(value: unknown, at: Location): T;
}

/** What a schema cannot say; it gets any value, also one that is against the schema. */
export type ExtraCheck = (value: unknown, at: Location) => Fault[];

/** The same schema compiled twice. */
export interface Compiled {
  /** Stops at the first fault, so that hostile input costs no more than good input. */
  readonly first: ValidateFunction;
  /** Goes on to the last fault. */
  readonly all: ValidateFunction;
}

/** Entries of a list or a map that are looked at for more than the first fault. */
const detailedEntries = 10_000;

/** Makes a checker of a compiled schema and of what else must hold. */
export function createChecker<T>(compiled: Compiled, extraCheck?: ExtraCheck): Checker<T> {
  const faultsIn = (value: unknown, at: Location): Fault[] => {
    if (value === undefined || (value === null && at.length === 1)) {
      return [{ loc: at, msg: 'Field required', type: 'missing' }];
    }
    return distinct([...schemaFaults(compiled, value, at), ...(extraCheck?.(value, at) ?? [])]);
  };
  const parse = (value: unknown, at: Location): T => {
    const faults = faultsIn(value, at);
    if (faults.length > 0) throw apiErrors.invalid(faults);
    return value as T;
  };
  return { faultsIn, parse };
}

/**
 * Nothing bounds how many faults ajv collects: thirty million wrong ids in one body would take all memory.
 * So every fault is looked for in the first entries of each list only; beyond them, and in huge maps, the
 * first fault has to do.
 */
function schemaFaults({ first, all }: Compiled, value: unknown, at: Location): Fault[] {
  if (first(value)) return [];
  const faults = toFaults(first.errors ?? [], value, at);
  if (isCrowded(value) || (isRecord(value) && Object.values(value).some(isCrowded))) return faults;
  const part = withShortLists(value);
  if (all(part)) return faults;
  return [...toFaults(all.errors ?? [], part, at), ...faults];
}

function isCrowded(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length > detailedEntries;
}

function withShortLists(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const shortened = Object.entries(value).map(([name, entry]) => [
    name,
    Array.isArray(entry) ? entry.slice(0, detailedEntries) : entry,
  ]);
  return Object.fromEntries(shortened) as unknown;
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function distinct(faults: readonly Fault[]): Fault[] {
  const byIdentity = new Map<string, Fault>();
  for (const fault of faults) {
    const identity = JSON.stringify([fault.loc, fault.type]);
    if (!byIdentity.has(identity)) byIdentity.set(identity, fault);
  }
  return [...byIdentity.values()];
}
