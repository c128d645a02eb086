import { isUtf8 } from 'node:buffer';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { visit } from 'jsonc-parser';
import { apiErrors } from '../../errors.ts';

/**
 * Reads a JSON body, decompressed, into `request.body`; no body leaves `undefined` there.
 *
 * Bytes that are no UTF-8 are refused, where `express.json` would put U+FFFD in their place.
 * @param limitBytes after decompression; beyond it 413
 */
export function readJsonBody(limitBytes: number): RequestHandler[] {
  const readBytes = express.raw({ type: () => true, limit: limitBytes });
  return [requireJson, readBytes, parseBody];
}

function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const contentType = request.headers['content-type'];
  if (contentType !== undefined) requireJsonType(contentType);
  next();
}

function requireJsonType(contentType: string): void {
  const [mediaType = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!/^application\/([\w.!#$&^-]+\+)?json$/.test(mediaType.trim())) {
    throw apiErrors.invalid([
      {
        loc: ['body'],
        msg:
          'Input should be a valid dictionary or object to extract fields from; ' +
          'the content type should be application/json',
        type: 'model_attributes_type',
      },
    ]);
  }
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1])
    .find((each) => each !== undefined);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw apiErrors.unsupportedMedia('Only the charset utf-8 is supported.');
  }
}

function parseBody(request: Request, _response: Response, next: NextFunction): void {
  request.body = Buffer.isBuffer(request.body) ? parseJson(request.body) : undefined;
  next();
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw invalidJson(['body'], 'JSON decode error: the body is not UTF-8');
  const text = withoutByteOrderMark(bytes.toString('utf8'));
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = positionOfSyntaxError(text, (error as Error).message);
    throw invalidJson(['body', position], 'JSON decode error');
  }
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function invalidJson(loc: (string | number)[], msg: string): Error {
  return apiErrors.invalid([{ loc, msg, type: 'json_invalid' }]);
}

/** Text up to which it is worth looking for the place of a fault a second time. */
const searchableLength = 1_000_000;

/** Where text stops being JSON, in UTF-16 units; V8 says it of most faults but not of an unexpected token. */
function positionOfSyntaxError(text: string, message: string): number {
  const told = / at position (\d+)/.exec(message)?.[1];
  if (told !== undefined) return Number(told);
  if (message.startsWith('Unexpected end') || text.length > searchableLength) return text.length;
  const found: number[] = [];
  try {
    visit(
      text,
      { onError: (_code, offset) => found.push(offset) },
      { disallowComments: true, allowTrailingComma: false },
    );
  } catch {
    // The visitor recurses and may run out of stack; what it found until then is the answer.
  }
  return found[0] ?? 0;
}
