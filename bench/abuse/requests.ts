import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';

import { keys } from './service.ts';

export const project = 'bench/abuse';

/** What a request was answered with; 0 for a connection that was closed without an answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface SentBody {
  readonly bytes: Buffer;
  readonly encoding?: 'gzip';
  /** Send it in chunks without a length. */
  readonly isChunked?: boolean;
}

/** Sends a POST and reads the answer. */
export async function post(
  url: string,
  path: string,
  body: SentBody | object,
  key: string = keys.abuser,
): Promise<Answer> {
  const sent: SentBody = 'bytes' in body ? body : { bytes: Buffer.from(JSON.stringify(body)) };
  const { bytes, encoding, isChunked = false } = sent;
  const sending = request(url + path, {
    method: 'POST',
    agent: false,
    headers: {
      ...{ 'content-type': 'application/json', authorization: toAuthorization(key) },
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
      ...(isChunked ? {} : { 'content-length': bytes.length }),
    },
  });
  const answered = new Promise<Answer>((resolve) => {
    sending.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('close', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sending.on('error', () => resolve({ status: 0, text: '' }));
  });
  Readable.from(toPieces(bytes)).pipe(sending);
  return await answered;
}

function* toPieces(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += 65_536) yield bytes.subarray(from, from + 65_536);
}

/** The value of the header `authorization`. */
export function toAuthorization(key: string): string {
  return `Basic ${Buffer.from(`api:${key}`).toString('base64')}`;
}

/** Opens a connection and sends text; nothing is read until somebody does. */
export async function openSocket(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect').catch(() => undefined);
  socket.write(text);
  return socket;
}

export const compress = promisify(gzip);

/** A batch of one-call items, so that it has about so many bytes; inputs are `{}`s. */
export function batchOf(megabytes: number, round: number): Buffer {
  const inputs = `{"x":[0${',{}'.repeat(200)}]}`;
  const items: string[] = [];
  let bytes = 0;
  while (bytes < megabytes * 1_000_000) {
    const id = `${round}-${items.length}`;
    const item =
      `{"mode":"start","req":{"start":{"project_id":"${project}","id":"${id}","trace_id":"t${id}",` +
      `"op_name":"op","started_at":"2026-01-01T00:00:00Z","attributes":{},"inputs":${inputs}}}}`;
    items.push(item);
    bytes += item.length + 1;
  }
  return Buffer.from(`{"batch":[${items.join(',')}]}`);
}

/** How often each status was answered, such as `200 × 3, 503 × 5`. */
export function countStatuses(answers: readonly Answer[]): string {
  const counts = new Map<number, number>();
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return sorted.map(([status, count]) => `${status} × ${count}`).join(', ');
}
