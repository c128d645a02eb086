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
  const files = readPageFiles(directory);
  const version = toPageVersion(files);
  const index = readFileSync(join(directory, 'index.html'), 'utf8');
  return [
    get('/', 'any', sendIndex(index.replaceAll(/(?<=(?:href|src)=")page\//g, `page/${version}/`))),
    get('/page/signed-out', 'public', signOut),
    // One route: metrics have its path as a label, in which no version may be.
    get('/page/*path', 'any', sendFiles(version, files)),
  ];
}

/**
 * Changes with each file and its path, so that an address with it always has the same content.
 * @param files by their paths, ascending
 */
export function toPageVersion(files: ReadonlyMap<string, Uint8Array>): string {
  const digests = [...files].map(([path, bytes]) => [path, digestOf(bytes)]);
  return digestOf(JSON.stringify(digests));
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
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

/** The files of the page except `index.html`, by their paths, ascending. */
function readPageFiles(directory: string): Map<string, Buffer> {
  const preact = dirname(createRequire(import.meta.url).resolve('htm/preact'));
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => ['.js', '.css', '.svg'].includes(extname(path)));
  const toFile = (path: string): string =>
    path === 'preact.js' ? join(preact, 'standalone.module.js') : join(directory, path);
  return new Map([...paths, 'preact.js'].sort().map((path) => [path, readFileSync(toFile(path))]));
}

/** Browsers ask for it at each visit, and get 304 unless it or the version in it changed. */
function sendIndex(text: string): RequestHandler {
  // Weak: it is that of the page, compressed or not.
  const headers = { 'cache-control': 'private, no-cache', etag: `W/"${digestOf(text)}"` };
  return send('html', Buffer.from(text), headers);
}

/**
 * An address has the same content for good, so browsers ask for it once; another version has other addresses, so its files
 * are never mixed with these. Private, since a shared cache would answer without a key.
 */
function sendFiles(version: string, files: ReadonlyMap<string, Buffer>): RequestHandler {
  const headers = { 'cache-control': 'private, max-age=31536000, immutable' };
  const handlers = new Map(
    [...files].map(([path, bytes]) => [
      `${version}/${path}`,
      send(extname(path).slice(1), bytes, headers),
    ]),
  );
  return (request, response, next) => {
    const handler = handlers.get([request.params['path']].flat().join('/'));
    if (handler === undefined) throw apiErrors.notFound();
    return handler(request, response, next);
  };
}

/** Compressed once, the files are a third as long. */
function send(
  type: string,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
): RequestHandler {
  const compressed = gzipSync(bytes);
  return (request, response) => {
    response.set({ ...headers, 'content-security-policy': pagePolicy });
    response.vary('accept-encoding').type(type);
    if (request.acceptsEncodings('gzip') !== 'gzip') response.send(bytes);
    else response.set('content-encoding', 'gzip').send(compressed);
  };
}
