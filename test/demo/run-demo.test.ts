import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DemoError } from '../../demo/client.ts';
import { runDemo, type DemoContext } from '../../demo/run-demo.ts';
import { chooseColors } from '../../demo/table.ts';

/** A demo context that records what must be cleaned up. */
interface RecordedContext {
  readonly context: DemoContext;
  readonly dataDirs: string[];
  closeCount: number;
}

/** A context in which `server`, a faulty one, takes the place of the service. */
function recordContext(server: Server, signal = new AbortController().signal): RecordedContext {
  const recorded: RecordedContext = {
    dataDirs: [],
    closeCount: 0,
    context: {
      environment: { PORT: '0' },
      print: () => undefined,
      colors: chooseColors({}, {}),
      signal,
      startService: async (settings) => {
        recorded.dataDirs.push(settings.dataDir);
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        return {
          url: `http://127.0.0.1:${String(port)}`,
          ready: Promise.resolve(),
          close: () => {
            recorded.closeCount += 1;
            server.closeAllConnections();
            server.close();
            return Promise.resolve();
          },
        };
      },
    },
  };
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return recorded;
}

function expectCleanedUp(recorded: RecordedContext): void {
  expect(recorded.closeCount).toBe(1);
  expect(recorded.dataDirs).toHaveLength(1);
  for (const dataDir of recorded.dataDirs) expect(existsSync(dataDir)).toBe(false);
}

describe('a failing demo', () => {
  test('reports request, status and request id of an error response, and cleans up', async () => {
    const server = createServer((_, response) => {
      response
        .writeHead(503, { 'x-request-id': 'r-1' })
        .end('{"detail":"ClickHouse is unavailable"}');
    });
    const recorded = recordContext(server);
    const run = runDemo(recorded.context, { once: true });
    await expect(run).rejects.toThrow(DemoError);
    await expect(run).rejects.toThrow(
      /POST \/calls\/usage returned 503 Service Unavailable.*r-1.*\n.*ClickHouse is unavailable/,
    );
    expectCleanedUp(recorded);
  });

  test('reports a request without a response, and cleans up', async () => {
    const server = createServer((request) => {
      request.socket.destroy();
    });
    const recorded = recordContext(server);
    await expect(runDemo(recorded.context, { once: true })).rejects.toThrow(
      /POST \/calls\/usage failed without a response: \S/,
    );
    expectCleanedUp(recorded);
  });

  test('reports a call that is missing in the answer, and cleans up', async () => {
    const server = createServer((_, response) => {
      response.end('{"call_usage": {}, "unfinished_call_ids": []}');
    });
    const recorded = recordContext(server);
    await expect(runDemo(recorded.context, { once: true })).rejects.toThrow(
      /The answer lacks call [0-9a-f-]{36}/,
    );
    expectCleanedUp(recorded);
  });

  test('rejects when it is aborted during a request, and cleans up', async () => {
    const stop = new AbortController();
    const server = createServer(() => {
      stop.abort();
    });
    const recorded = recordContext(server, stop.signal);
    await expect(runDemo(recorded.context, { once: false })).rejects.toThrow(/aborted/);
    expectCleanedUp(recorded);
  });

  test('rejects when it is aborted before ClickHouse is ready, and cleans up', async () => {
    const stop = new AbortController();
    const recorded = recordContext(createServer(), stop.signal);
    const context: DemoContext = {
      ...recorded.context,
      startService: async (settings) => {
        const service = await recorded.context.startService(settings);
        setImmediate(() => {
          stop.abort();
        });
        return { ...service, ready: new Promise(() => undefined) };
      },
    };
    await expect(runDemo(context, { once: false })).rejects.toThrow(/aborted/);
    expectCleanedUp(recorded);
  });

  test('removes its data directory when the service cannot start', async () => {
    const recorded = recordContext(createServer());
    const context: DemoContext = {
      ...recorded.context,
      startService: (settings) => {
        recorded.dataDirs.push(settings.dataDir);
        return Promise.reject(new Error('no ClickHouse'));
      },
    };
    await expect(runDemo(context, { once: true })).rejects.toThrow('no ClickHouse');
    expect(recorded.dataDirs.map((dataDir) => existsSync(dataDir))).toEqual([false]);
  });
});
