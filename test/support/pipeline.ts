import { randomBytes } from 'node:crypto';
import type { Address } from '../../src/clickhouse/client/open-client.ts';
import { makeDirectory, startServer } from './clickhouse/embedded-clickhouse.ts';
import { addUser } from './clickhouse/embedded-overrides.ts';
import { openService } from './http/service.ts';
import { codeIn, readText } from './markdown.ts';

/** A pipeline with the grants of docs/call-parts.md, and a service on the same ClickHouse. */
export interface Pipeline {
  /** Executes a statement as the pipeline's user, who has the documented grants only. */
  readonly execute: (sql: string) => Promise<void>;
  /** Executes a SELECT as the service's user; one object per row. */
  readonly select: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Sends POST /calls/usage; resolves with the body of the response. */
  readonly requestUsage: (request: unknown) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Starts a ClickHouse with a user `pipeline`, and a service on it; the caller closes both. */
export async function openPipeline(): Promise<Pipeline> {
  const directory = await makeDirectory();
  const password = randomBytes(16).toString('hex');
  await addUser(directory.path, { username: 'pipeline', password, grants: documentedGrants() });
  const server = await startServer(directory.path);
  const url = new URL(server.address.url);
  url.username = server.address.username;
  url.password = server.address.password;
  const service = await openService({ CLICKHOUSE_URL: url.href });
  await service.ready;
  const pipeline = { ...server.address, username: 'pipeline', password };
  return {
    execute: async (sql) => {
      await send(pipeline, sql);
    },
    select: async (sql) => {
      const text = await send(server.address, `${sql} FORMAT JSONEachRow`);
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    requestUsage: async (body) => (await service.send('/calls/usage', { body })).json(),
    close: async () => {
      await service.close();
      await server.stop();
      await directory.remove();
    },
  };
}

/** The grants of the document, without `GRANT` and the user. */
function documentedGrants(): string[] {
  const statements = codeIn(readText('docs/call-parts.md'), 'sql').join('\n');
  return [...statements.matchAll(/^GRANT ([^;]*) TO pipeline;/gm)].map(([, grant = '']) => grant);
}

/** Sends a statement over ClickHouse's HTTP interface. */
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
