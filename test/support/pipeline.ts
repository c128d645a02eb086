import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../../src/clickhouse/client/connection.ts';
import { startEmbedded } from '../../src/clickhouse/embedded/embedded-server.ts';
import { silentLog } from './silent-log.ts';
import { openService } from './service.ts';
import { codeIn, readText } from './markdown.ts';

/** A pipeline as docs/call-parts.md has it, and the service that it asks. */
export interface Pipeline {
  /** Runs a statement as the pipeline, who may do what the documented GRANT allows. */
  readonly run: (sql: string) => Promise<void>;
  /** Runs a SELECT as the service; one object a row. */
  readonly look: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Asks POST /calls/usage. */
  readonly ask: (question: unknown) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Starts a ClickHouse, a service on it and a user `pipeline`; whoever calls closes it. */
export async function openPipeline(): Promise<Pipeline> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-docs-'));
  const password = randomBytes(16).toString('hex');
  const guests = [{ username: 'pipeline', password, grants: documentedGrants() }];
  const server = await startEmbedded(
    { dataDir, queryLog: false, lockWaitMs: 0, stopTimeoutMs: 10_000, guests, log: silentLog },
    new AbortController().signal,
  );
  const url = new URL(server.address.url);
  url.username = server.address.username;
  url.password = server.address.password;
  const service = await openService({ CLICKHOUSE_URL: url.href });
  await service.ready;
  const pipeline = { ...server.address, username: 'pipeline', password };
  return {
    run: async (sql) => {
      await send(pipeline, sql);
    },
    look: async (sql) => {
      const text = await send(server.address, `${sql} FORMAT JSONEachRow`);
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    ask: async (question) => (await service.send('/calls/usage', { body: question })).json(),
    close: async () => {
      await service.close();
      await server.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** What follows GRANT in the docs. */
function documentedGrants(): string[] {
  const statements = codeIn(readText('docs/call-parts.md'), 'sql').join('\n');
  return [...statements.matchAll(/^GRANT ([^;]*) TO pipeline;/gm)].map(([, grant = '']) => grant);
}

/** Sends a statement as any HTTP client does. */
async function send({ url, username, password }: Address, sql: string): Promise<string> {
  const address = new URL('/?database=calls_usage&wait_end_of_query=1', url);
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  const response = await fetch(address, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: sql,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}
