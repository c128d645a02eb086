import { createHash } from 'node:crypto';
import { finished } from 'node:stream';
import { promisify } from 'node:util';
import type { Request, Response } from 'express';
import multer, { type FileFilterCallback, MulterError, type StorageEngine } from 'multer';
import { type ApiError, apiErrors } from '../api-errors.ts';
import type { Handler, ReadBody } from '../route.ts';
import { toIssue } from '../validation/issues.ts';
import { toWeaveDigest } from './weave-digest.ts';

/** Answers the digest of a file, see {@link readFileForm}; the file is not stored. */
export const createFile: Handler<'FileCreateReq'> = ({ body: { file } }) => ({ digest: file });

type FormReader = (request: Request, response: Response, done: (error?: unknown) => void) => void;

/**
 * Reads multipart forms in a streaming way: only `project_id` and the digest of `file` are kept. A body that is not a
 * form has no fields.
 *
 * A form that is refused is read to its end: a client that is still sending does not read the answer.
 */
export const readFileForm: ReadBody = async (request, response, _reservation, { bodyLimits }) => {
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw apiErrors.unsupportedMedia('A multipart body takes no content encoding.');
  }
  await createFormReader(bodyLimits.ingest.maxBytes)(request, response).catch((error: unknown) => {
    throw toFormError(error);
  });
  const { project_id } = (request.body ?? {}) as { readonly project_id?: unknown };
  const [file] = (request.files ?? []) as readonly Express.Multer.File[];
  return { value: { project_id, file: file?.filename }, raw: new Map() };
};

function createFormReader(fileSize: number) {
  const limits = {
    fieldSize: maxFieldBytes,
    fields: maxFields,
    files: 1,
    parts: 2 * maxFields,
    fileSize,
  };
  const form = multer({ storage: digestStorage, limits, fileFilter: acceptFileField });
  return promisify(form.any() as FormReader);
}

/**
 * More than any valid project id, so that the schema reports one that is too long. Fields are not in the memory budget:
 * those of one request take no more than its headers may.
 */
const maxFieldBytes = 4_096;

/** An SDK sends one. */
const maxFields = 4;

/** Discards the bytes of a file; its digest is the name of the "stored" file. */
const digestStorage: StorageEngine = {
  _handleFile: (_request, { stream }, done) => {
    const hash = createHash('sha256');
    stream.on('data', (bytes: Buffer) => hash.update(bytes));
    finished(stream, (error) => {
      if (error) done(error);
      else done(null, { filename: toWeaveDigest(hash) });
    });
  },
  _removeFile: (_request, _file, done) => {
    done(null);
  },
};

function acceptFileField(
  _request: Request,
  { fieldname }: Express.Multer.File,
  accept: FileFilterCallback,
): void {
  accept(null, fieldname === 'file');
}

function toFormError(error: unknown): ApiError {
  if (error instanceof MulterError && error.code.startsWith('LIMIT_')) {
    const part = error.code === 'LIMIT_FILE_SIZE' ? 'file' : 'form';
    return apiErrors.tooLarge(`The ${part} is larger than the limit.`);
  }
  return apiErrors.invalid([toIssue('value_error', ['body'], 'formSyntax')]);
}
