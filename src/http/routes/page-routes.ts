import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { RequestHandler } from 'express';
import { packageUrl } from '../../package-url.ts';
import { apiErrors } from '../api-errors.ts';
import { get, type Route } from '../route.ts';

/**
 * GET / and the files that the page loads: those of `page/`, and Preact from its package. Each is read once, at the start:
 * answers of many clients would otherwise open as many files.
 */
export function pageRoutes(): Route[] {
  const directory = fileURLToPath(packageUrl('page/'));
  const preact = dirname(createRequire(import.meta.url).resolve('htm/preact'));
  return [
    get('/', 'any', sendFile(join(directory, 'index.html'))),
    get('/page/signed-out', 'public', signOut),
    get('/page/preact.js', 'any', sendFile(join(preact, 'standalone.module.js'))),
    ...listPageFiles(directory).map((path) =>
      get(`/page/${path}`, 'any', sendFile(join(directory, path))),
    ),
  ];
}

/**
 * Accepts the user `signed-out` with any password and nobody else: a browser forgets credentials only for others that were
 * accepted. Every other path refuses these, and the browser asks for a key.
 */
const signOut: RequestHandler = ({ headers }, response) => {
  const [, encoded = ''] = /^Basic +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const isSignedOut = Buffer.from(encoded, 'base64').toString().startsWith('signed-out:');
  if (!isSignedOut) throw apiErrors.notAuthenticated();
  response.status(204).end();
};

/** Scripts and styles are those of the service only; no other page shows this one in a frame. */
const pagePolicy = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const typeOf: Readonly<Record<string, string>> = {
  '.html': 'html',
  '.js': 'js',
  '.css': 'css',
  '.svg': 'svg',
};

function listPageFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => ['.js', '.css', '.svg'].includes(extname(path)))
    .sort();
}

/**
 * Browsers ask for each file again, and get 304 unless it changed: files of two versions are never mixed. Compressed once,
 * they are a third as long.
 */
function sendFile(file: string): RequestHandler {
  const bytes = readFileSync(file);
  // Weak: it is that of the file, compressed or not.
  const etag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'cache-control': 'private, no-cache',
    'content-security-policy': pagePolicy,
    etag,
  };
  const type = typeOf[extname(file)] ?? 'text';
  const compressed = gzipSync(bytes);
  return (request, response) => {
    response.set(headers).vary('accept-encoding').type(type);
    if (request.acceptsEncodings('gzip') !== 'gzip') response.send(bytes);
    else response.set('content-encoding', 'gzip').send(compressed);
  };
}
