import { createHash } from 'node:crypto';

import type { TracesQueryReq } from '../../openapi-types.ts';
import { compareCodePoints } from '../sort-by-code-point.ts';

/** Where a trace is in the order of a list: by these fields, each ascending. */
export interface TracePosition {
  /** Traces without the number come last. */
  readonly isUnknown: boolean;
  /** The number that the list is ordered by; negative in descending lists. */
  readonly sortValue: bigint;
  /** By bytes. */
  readonly traceId: string;
}

export function comparePositions(a: TracePosition, b: TracePosition): number {
  if (a.isUnknown !== b.isUnknown) return a.isUnknown ? 1 : -1;
  if (a.sortValue !== b.sortValue) return a.sortValue < b.sortValue ? -1 : 1;
  return compareCodePoints(a.traceId, b.traceId);
}

/** The cursor for what follows a trace in the list of a request. */
export function toCursor(request: TracesQueryReq, position: TracePosition): string {
  const { isUnknown, sortValue, traceId } = position;
  const content = [toQuestion(request), isUnknown, String(sortValue), traceId];
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/**
 * @returns where the list goes on; null for a request without a cursor
 * @throws {CursorError} the cursor is not one, or that of another question
 */
export function parseCursor(request: TracesQueryReq): TracePosition | null {
  const { cursor } = request;
  if (cursor === undefined || cursor === null) return null;
  const [question, isUnknown, sortValue, traceId] = parseContent(cursor);
  const isPosition =
    typeof isUnknown === 'boolean' &&
    typeof sortValue === 'string' &&
    /^-?\d{1,76}$/.test(sortValue) &&
    typeof traceId === 'string';
  if (!isPosition) throw new CursorError('cursorInvalid');
  if (question !== toQuestion(request)) throw new CursorError('cursorOfOther');
  return { isUnknown, sortValue: BigInt(sortValue), traceId };
}

function parseContent(cursor: string): unknown[] {
  try {
    const content: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(content) ? content : [];
  } catch {
    return [];
  }
}

/** Identifies what decides which traces are in a list, and in which order. */
function toQuestion({ project_id, start, end, filter, sort_by }: TracesQueryReq): string {
  const { field, direction } = sort_by;
  const conditions = Object.entries(filter ?? {})
    .filter(([, value]) => !isEmpty(value))
    .sort(([a], [b]) => compareCodePoints(a, b));
  const question = [project_id, start, end ?? null, conditions, field, direction];
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 22);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** A cursor that no answer has had, or that of another question. */
export class CursorError extends Error {
  override readonly name = 'CursorError';
  readonly reason: 'cursorInvalid' | 'cursorOfOther';

  constructor(reason: CursorError['reason']) {
    super(`The cursor cannot be used: ${reason}`);
    this.reason = reason;
  }
}
