import { createHash } from 'node:crypto';
import { finished, pipeline } from 'node:stream/promises';
import busboy, { type Busboy } from 'busboy';
import type { Request, RequestHandler } from 'express';
import { apiErrors, type ValidationIssue } from '../../errors.ts';
import { requireProjects, requireScope } from '../auth/require-key.ts';
import { readJsonBody } from '../validation/json-body.ts';
import { digestJson, toDigest } from './digest.ts';
import { freeFormJsonIssues } from '../validation/free-form-json.ts';
import type { OpenApi } from '../validation/openapi.ts';
import type { Route } from '../routes/route.ts';
import { isRecord } from '../validation/validator.ts';

interface ObjectRouteOptions {
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
}

/** Objects and files that SDKs send along with calls: answered with their digests, not stored. */
export function objectRoutes({ openApi, bodyLimitBytes }: ObjectRouteOptions): Route[] {
  return [
    {
      method: 'post',
      path: '/obj/create',
      handlers: [requireScope('write'), ...readJsonBody(bodyLimitBytes), digestObject(openApi)],
    },
    {
      method: 'post',
      path: '/file/create',
      handlers: [requireScope('write'), digestFile(openApi, bodyLimitBytes)],
    },
  ];
}

interface ObjectRequest {
  readonly obj: { readonly project_id: string; readonly object_id: string; readonly val: unknown };
}

function digestObject(openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<ObjectRequest>('ObjCreateReq', (value, at) =>
    isRecord(value) ? freeFormJsonIssues(value['obj'], [...at, 'obj']) : [],
  );
  return (request, response) => {
    const { project_id, object_id, val } = validator.parse(request.body, ['body']).obj;
    requireProjects(response, [project_id]);
    response.json({ digest: digestJson(val), object_id });
  };
}

interface FileRequest {
  readonly project_id: string;
  /** The file's digest stands in for the file. */
  readonly file: string;
}

function digestFile(openApi: OpenApi, limitBytes: number): RequestHandler {
  const validator = openApi.validatorOf<FileRequest>('FileCreateReq');
  return async (request, response) => {
    const form = await readForm(request, limitBytes);
    const { project_id, file } = validator.parse(form, ['body']);
    requireProjects(response, [project_id]);
    response.json({ digest: file });
  };
}

/** Reads a multipart body as it comes, keeping only its short fields and the digest of its file. */
async function readForm(request: Request, limitBytes: number): Promise<Partial<FileRequest>> {
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
    // What breaks the form breaks the file in it; the parser tells of it, but nobody else would hear the file.
    file.on('error', () => undefined);
    file.on('limit', () => (issue = apiErrors.tooLarge('The file is larger than the limit.')));
    file.on('end', () => {
      if (name === 'file') form.file = toDigest(hash);
    });
  });
  await readThrough(request, parser, limitBytes);
  if (issue !== undefined) throw issue;
  return form;
}

/** @returns undefined for a body that is no form at all, whose fields are all missing */
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

/** Room for the fields and the boundaries around a file. */
const formRoomBytes = 65_536;

async function readThrough(request: Request, parser: Busboy, limitBytes: number): Promise<void> {
  let readBytes = 0;
  const isTooLarge = (): boolean => readBytes > limitBytes + formRoomBytes;
  // What comes beyond the limit is read and thrown away: a client that still sends hears no answer.
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
  // A client that hangs up meanwhile hears nothing anyway.
  await finished(request).catch(() => undefined);
}

function malformedForm(): Error {
  const issue: ValidationIssue = {
    loc: ['body'],
    msg: 'There was an error parsing the body',
    type: 'value_error',
  };
  return apiErrors.invalid([issue]);
}
