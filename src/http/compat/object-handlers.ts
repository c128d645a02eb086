import { createHash, type Hash } from 'node:crypto';
import { finished, pipeline } from 'node:stream/promises';
import busboy, { type Busboy } from 'busboy';
import type { Request } from 'express';
import { stringify } from 'safe-stable-stringify';
import { apiErrors } from '../api-errors.ts';
import type { Handler } from '../routes/route.ts';
import { toIssue } from '../validation/issues.ts';
import type { CreateBodyReader } from '../validation/json-body.ts';

/** Answers the digest of an object; the object is not stored. */
export const createObject: Handler<'ObjCreateReq'> = ({ body: { obj } }) => ({
  digest: digestJson(obj.val),
  object_id: obj.object_id,
});

/** Answers the digest of a file, see {@link createFileFormReader}; the file is not stored. */
export const createFile: Handler<'FileCreateReq'> = ({ body: { file } }) => ({ digest: file });

/** SHA-256 of any JSON value; the order of object keys does not matter. */
export function digestJson(value: unknown): string {
  return toDigest(createHash('sha256').update(stringify(value) ?? 'null'));
}

/** 43 letters and digits, as Weave writes digests. */
function toDigest(hash: Hash): string {
  return hash.digest('base64url').replaceAll('-', 'X').replaceAll('_', 'Y');
}

interface FileForm {
  readonly project_id?: string;
  /** The digest of the file. */
  readonly file?: string;
}

/** Reads multipart forms in a streaming way: only `project_id` and the digest of the file are kept. */
export const createFileFormReader: CreateBodyReader = (limitBytes) => async (request) => {
  request.body = await readForm(request, limitBytes);
};

async function readForm(request: Request, limitBytes: number): Promise<FileForm> {
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw apiErrors.unsupportedMedia('A multipart body takes no content encoding.');
  }
  const parser = createParser(request, limitBytes);
  if (parser === undefined) return {};
  const form: { project_id?: string; file?: string } = {};
  let issue: Error | undefined;
  parser.on('field', (name, value) => {
    if (name === 'project_id') form.project_id = value;
  });
  parser.on('file', (name, file) => {
    const hash = createHash('sha256');
    file.on('data', (bytes: Buffer) => hash.update(bytes));
    // A malformed form also fails the stream of its file; the parser reports it, this only handles the event.
    file.on('error', () => undefined);
    file.on('limit', () => (issue = apiErrors.tooLarge('The file is larger than the limit.')));
    file.on('end', () => {
      if (name === 'file') form.file = toDigest(hash);
    });
  });
  await parseForm(request, parser, limitBytes);
  if (issue !== undefined) throw issue;
  return form;
}

/** @returns undefined for a body that is not a multipart form: all its fields are missing */
function createParser(request: Request, limitBytes: number): Busboy | undefined {
  const isForm = /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
  if (!isForm) return undefined;
  const limits = { fieldSize: 4_096, fields: 16, files: 1, parts: 32, fileSize: limitBytes + 1 };
  try {
    return busboy({ headers: request.headers, limits });
  } catch {
    throw malformedForm();
  }
}

/** Allowance for the fields and the boundaries around a file. */
const formOverheadBytes = 65_536;

async function parseForm(request: Request, parser: Busboy, limitBytes: number): Promise<void> {
  let readBytes = 0;
  const isTooLarge = (): boolean => readBytes > limitBytes + formOverheadBytes;
  // Bytes beyond the limit are read and discarded: a client that is still sending does not read the answer.
  const bounded = async function* (): AsyncGenerator<Buffer> {
    for await (const bytes of request.iterator({ destroyOnReturn: false })) {
      readBytes += (bytes as Buffer).length;
      if (!isTooLarge()) yield bytes as Buffer;
    }
  };
  try {
    await pipeline(bounded, parser);
  } catch {
    await drain(request);
    if (!isTooLarge()) throw malformedForm();
  }
  if (isTooLarge()) throw apiErrors.tooLarge('The body is larger than the limit.');
}

async function drain(request: Request): Promise<void> {
  request.resume();
  // A client that disconnects meanwhile gets no answer anyway.
  await finished(request).catch(() => undefined);
}

function malformedForm(): Error {
  return apiErrors.invalid([toIssue('value_error', ['body'], 'formSyntax')]);
}
