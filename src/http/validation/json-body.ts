import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import express, { type Request, type Response } from 'express';
import { visit } from 'jsonc-parser';
import { apiErrors } from '../api-errors.ts';
import { toIssue } from './issues.ts';

/** Reads the body of a request into `request.body`; the response is for Express's own readers. */
type ReadBody = (request: Request, response: Response) => Promise<void>;

/** @param limitBytes largest body, after decompression; a larger one is refused with 413 */
export type CreateBodyReader = (limitBytes: number) => ReadBody;

type RawReader = (request: Request, response: Response, done: (error?: Error) => void) => void;

/**
 * Reads JSON bodies, decompressed; an empty body is `undefined`.
 *
 * Bytes that are not UTF-8 are refused; `express.json` would replace them with U+FFFD.
 */
export const createJsonReader: CreateBodyReader = (limitBytes) => {
  const readBytes = promisify(express.raw({ type: () => true, limit: limitBytes }) as RawReader);
  return async (request, response) => {
    // Browsers send bodies without a type to other origins, and do not ask before.
    const contentType = request.headers['content-type'] ?? '';
    if (contentType !== '' || hasBody(request)) requireJsonType(contentType);
    await readBytes(request, response);
    request.body = Buffer.isBuffer(request.body) ? parseJson(request.body) : undefined;
  };
};

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function requireJsonType(contentType: string): void {
  const [mediaType = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!/^application\/([\w.!#$&^-]+\+)?json$/.test(mediaType.trim())) {
    throw apiErrors.invalid([toIssue('model_attributes_type', ['body'], 'application/json')]);
  }
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1])
    .find((value) => value !== undefined);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw apiErrors.unsupportedMedia('Only the charset utf-8 is supported.');
  }
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw apiErrors.invalid([toIssue('json_invalid', ['body'], 'not UTF-8')]);
  const text = withoutByteOrderMark(bytes.toString('utf8'));
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = positionOfSyntaxError(text, (error as Error).message);
    throw apiErrors.invalid([toIssue('json_invalid', ['body', position])]);
  }
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** Longer text is not parsed a second time to locate an error. */
const maxLocatedLength = 1_000_000;

/** Position of the first error, in UTF-16 units. V8 reports it for most errors, not for an unexpected token. */
function positionOfSyntaxError(text: string, message: string): number {
  const reported = / at position (\d+)/.exec(message)?.[1];
  if (reported !== undefined) return Number(reported);
  if (message.startsWith('Unexpected end') || text.length > maxLocatedLength) return text.length;
  const positions: number[] = [];
  try {
    visit(
      text,
      { onError: (_code, offset) => positions.push(offset) },
      { disallowComments: true, allowTrailingComma: false },
    );
  } catch {
    // The visitor recurses and may overflow the stack; the errors until then are enough.
  }
  return positions[0] ?? 0;
}
