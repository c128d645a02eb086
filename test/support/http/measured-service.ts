import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { nodeArgumentsOf } from '../package/npm-command.ts';
import { basicAuthorization, testKey } from './service.ts';

/** The service as `npm start` starts it, in a process of its own, whose turns of the event loop are measured. */
export interface MeasuredService {
  /** Sends a request with {@link testKey}; fetch would take longer than the service. */
  post(path: string, body: Buffer, headers?: Readonly<Record<string, string>>): Promise<RawAnswer>;
  /** Processor time of the longest turn since the last call, in milliseconds. */
  longestTurnMs(): Promise<number>;
  close(): Promise<void>;
}

export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const measureTurns = fileURLToPath(new URL('measure-turns.js', import.meta.url));

/** @param environment settings, among them those of ClickHouse */
export async function openMeasuredService(
  environment: Readonly<Record<string, string>>,
): Promise<MeasuredService> {
  const program = ['--import', measureTurns, ...nodeArgumentsOf('start')];
  const child = spawn(process.execPath, program, {
    cwd: new URL('../../../', import.meta.url),
    env: { PATH: process.env['PATH'], PORT: '0', API_KEYS: testKey, ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const url = await readUrlWhenReady(child);
  return {
    post: (path, body, headers) => post(url + path, body, headers),
    longestTurnMs: async () => {
      const answer = once(child, 'message');
      child.send('longest');
      const [longestMs] = (await answer) as [number];
      return longestMs;
    },
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function readUrlWhenReady(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new TypeError('The service has no standard output.');
  const lines = createInterface(child.stdout);
  return await new Promise((resolve, reject) => {
    let url = '';
    lines.on('line', (line) => {
      const { msg, url: listening } = JSON.parse(line) as { msg: string; url?: string };
      if (msg === 'listening') url = listening ?? '';
      if (msg === 'ClickHouse is ready') resolve(url);
    });
    lines.on('close', () => reject(new Error('The service has ended.')));
  });
}

async function post(
  url: string,
  body: Buffer,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Promise<RawAnswer> {
  const authorization = basicAuthorization(testKey);
  return await new Promise((resolve, reject) => {
    request(url, { method: 'POST', headers: { ...headers, authorization } }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
    })
      .on('error', reject)
      .end(body);
  });
}
