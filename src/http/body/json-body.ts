import type { IncomingMessage } from 'node:http';
import type { Reservation } from '../../memory-budget.ts';
import { parseJson } from '../../slices/parse-json.ts';
import { runSteps } from '../../slices/run-in-slices.ts';
import { apiErrors } from '../api-errors.ts';
import { toIssue } from '../validation/issues.ts';
import { eventLoopShare } from './event-loop-share.ts';
import {
  type JsonItemHandler,
  type JsonLimits,
  type JsonRule,
  JsonTooLargeError,
} from './json-copier.ts';
import { JsonScanner, JsonSyntaxError } from './json-scanner.ts';
import { readBody } from './read-body.ts';

/** How a JSON body is read. */
export interface JsonBodyOptions {
  /** Largest body, after decompression, in bytes. */
  readonly maxBytes: number;
  readonly limits: JsonLimits;
  readonly rule: JsonRule;
  /** Grows and shrinks with what is held of the body. */
  readonly reservation: Reservation;
  readonly items?: JsonItems;
}

/** Gets the items of a body. */
export interface JsonItems extends JsonItemHandler {
  /** What it holds of the items, in bytes. */
  readonly heldBytes: number;
}

export interface JsonBody {
  /** Undefined for an empty body. */
  readonly value: unknown;
  /** What was left out and is wanted as it was sent, by the member's name. */
  readonly raw: ReadonlyMap<string, Buffer>;
}

/** A value takes about this much when it is built, besides its text. */
const bytesPerValue = 64;

/**
 * Reads a JSON body, decompressed. It is checked as it arrives, and only what is left of it at its end is built.
 *
 * @throws {ApiError} 413, 415 or 422 for what is wrong with the body
 * @throws {MemoryBudgetError} the budget has no room
 */
export async function readJsonBody(
  request: IncomingMessage,
  { maxBytes, limits, rule, reservation, items }: JsonBodyOptions,
): Promise<JsonBody> {
  const contentType = request.headers['content-type'] ?? '';
  if (contentType !== '' || (hasBody(request) && isOfBrowser(request))) {
    requireJsonType(contentType);
  }
  const scanner = new JsonScanner(rule, limits, items);
  try {
    const onSlice = (slice: Buffer, windowBytes: number): void => {
      try {
        scanner.write(slice);
        reservation.resize(windowBytes + scanner.heldBytes + (items?.heldBytes ?? 0));
      } catch (error) {
        // At once: older requests would be refused for what this one holds until its client has read the answer.
        reservation.release();
        throw error;
      }
    };
    await readBody(request, { maxBytes, reservation, onSlice });
    const bytes = scanner.end();
    if (bytes.length === 0) return { value: undefined, raw: scanner.raw };
    reservation.resize(
      scanner.heldBytes + scanner.values * bytesPerValue + (items?.heldBytes ?? 0),
    );
    return { value: await parseInShare(bytes), raw: scanner.raw };
  } catch (error) {
    throw toJsonError(error);
  }
}

/** @throws {ApiError} 415 for a body without a content type */
export function requireContentType(request: IncomingMessage): void {
  if (request.headers['content-type'] !== undefined || !hasBody(request)) return;
  throw apiErrors.unsupportedMedia(
    'The request has no content type; the header content-type must be application/json.',
  );
}

/**
 * Browsers send bodies without a type to other origins, and do not ask before; these headers are in all of them. The
 * Python SDK 0.52 sends all bodies without a type, which FastAPI reads as JSON.
 */
function isOfBrowser({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

/** How long a large body is parsed without a break. */
const parsingMs = 5;

async function parseInShare(bytes: Buffer): Promise<unknown> {
  const steps = parseJson(bytes);
  for (;;) {
    const next = await eventLoopShare.run(() => runSteps(steps, performance.now() + parsingMs));
    if (next.done === true) return next.value;
  }
}

function toJsonError(error: unknown): unknown {
  if (error instanceof JsonTooLargeError) {
    return apiErrors.tooLarge(`The body has ${error.message}.`);
  }
  if (!(error instanceof JsonSyntaxError)) return error;
  return apiErrors.invalid([
    error.isUtf8
      ? toIssue('json_invalid', ['body', error.offset])
      : toIssue('json_invalid', ['body'], 'not UTF-8'),
  ]);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function requireJsonType(contentType: string): void {
  const [mediaType = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!/^application\/([\w.!#$&^-]+\+)?json$/.test(mediaType.trim())) {
    throw apiErrors.invalid([toIssue('model_attributes_type', ['body'], 'application/json')]);
  }
  const charsets = parameters
    .map((parameter) => parameter.split('=').map((text) => text.trim()))
    .filter(([name]) => name === 'charset');
  // One expression for all of it would backtrack for minutes in a header of 16 KB.
  if (charsets.some(([, value = '']) => !/^("?)utf-?8\1$/.test(value))) {
    throw apiErrors.unsupportedMedia('Only the charset utf-8 is supported.');
  }
}
