import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startService } from '../../../src/service.ts';
import { parseSettings } from '../../../src/settings/settings.ts';

/** An API key with all scopes for all projects, in every service that {@link openService} starts. */
export const testKey = 'a-key-of-the-tests';

/** A service that listens on a free port. */
export interface TestService {
  readonly url: string;
  /** Resolves when ClickHouse is available and migrated. */
  readonly ready: Promise<void>;
  /** The log lines written so far, parsed. */
  readonly logLines: () => Record<string, unknown>[];
  /** The lines printed to standard output so far. */
  readonly printed: readonly string[];
  /** Sends a request with {@link testKey}; a body other than a string, bytes or a form is sent as JSON. */
  readonly send: (path: string, request?: TestRequest) => Promise<TestAnswer>;
  /** As on SIGTERM. */
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface TestRequest {
  /** Default: POST with a body, GET without. */
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The API key to send; null sends no credentials. */
  readonly key?: string | null;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parses the body as JSON. */
  readonly json: () => unknown;
}

/** Nothing listens on port 9 of loopback: with these settings only the HTTP layer of a service works. */
export const clickhouseUnavailable = { CLICKHOUSE_URL: 'http://127.0.0.1:9' };

/**
 * Starts the service that `npm start` starts. The caller closes it.
 * @param environment settings; without CLICKHOUSE_URL, ClickHouse is unavailable
 */
export async function openService(
  environment: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-http-'));
  const settings = parseSettings({
    PORT: '0',
    API_KEYS: testKey,
    DATA_DIR: dataDir,
    // Requests of a test wait for their turn however slow the machine is.
    QUEUE_TIMEOUT_MS: '600000',
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
    drain: () => service.drain(),
    close: async () => {
      await service.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Starts a service as {@link openService} does and closes it when the current test ends. */
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

/** The `authorization` header of a client with an API key. */
export function basicAuthorization(key: string, user = 'api'): string {
  return `Basic ${Buffer.from(`${user}:${key}`).toString('base64')}`;
}

function isRaw(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function encode(body: unknown): string | Uint8Array | FormData {
  return isRaw(body) || body instanceof FormData ? body : JSON.stringify(body);
}
