import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startService } from '../../src/service.ts';
import { parseSettings } from '../../src/settings.ts';

/** A key that may do everything in every service that {@link openService} starts. */
export const testKey = 'a-key-of-the-tests';

/** A service of the test's own, on a free port. */
export interface TestService {
  readonly url: string;
  /** Resolves when the engine can be used. */
  readonly ready: Promise<void>;
  /** What was logged so far, one object a line. */
  readonly logLines: () => Record<string, unknown>[];
  /** What was printed so far. */
  readonly printed: readonly string[];
  /** Sends a request with the tests' key; a body that is no string or bytes goes as JSON. */
  readonly send: (path: string, request?: TestRequest) => Promise<TestAnswer>;
  readonly close: () => Promise<void>;
}

export interface TestRequest {
  /** POST where there is a body, else GET. */
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The password; null sends none. */
  readonly key?: string | null;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  readonly json: () => unknown;
}

/** Port 9 of loopback, where nothing listens: a service with this engine is all edge. */
export const clickhouseUnavailable = { CLICKHOUSE_URL: 'http://127.0.0.1:9' };

/**
 * Starts the very service that `npm start` starts, with an engine that is away unless the environment says
 * otherwise. Whoever calls closes it.
 */
export async function openService(
  environment: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-http-'));
  const settings = parseSettings({
    PORT: '0',
    API_KEYS: testKey,
    DATA_DIR: dataDir,
    ...clickhouseUnavailable,
    ...environment,
  });
  let logged = '';
  const printed: string[] = [];
  const service = await startService(settings, {
    log: { write: (line) => (logged += line) },
    print: (text) => printed.push(text),
  });
  return {
    url: service.url,
    ready: service.ready,
    logLines: () =>
      logged
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    printed,
    send: (path, request) => send(service.url + path, request),
    close: async () => {
      await service.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** The same for one test, closed when it ends. */
export async function useService(
  environment: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const service = await openService(environment);
  onTestFinished(() => service.close());
  return service;
}

async function send(url: string, request: TestRequest = {}): Promise<TestAnswer> {
  const { body, key = testKey } = request;
  const response = await fetch(url, {
    method: request.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body === undefined || body instanceof FormData
        ? {}
        : { 'content-type': 'application/json' }),
      ...(key === null ? {} : { authorization: basicAuthorization(key) }),
      ...request.headers,
    },
    ...(body === undefined ? {} : { body: encode(body) }),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, json: () => JSON.parse(text) as unknown };
}

/** What a client sends as `authorization`. */
export function basicAuthorization(key: string, user = 'api'): string {
  return `Basic ${Buffer.from(`${user}:${key}`).toString('base64')}`;
}

function isRaw(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function encode(body: unknown): string | Uint8Array | FormData {
  return isRaw(body) || body instanceof FormData ? body : JSON.stringify(body);
}
