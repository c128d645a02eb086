import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DemoError } from '../../demo/client.ts';
import { chooseColors } from '../../demo/colors.ts';
import { runDemo, type DemoWorld } from '../../demo/run-demo.ts';

interface Watched {
  readonly world: DemoWorld;
  readonly dataDirs: string[];
  closed: number;
}

/** A world whose service is `server`, which stands in for one that does not work. */
function watch(server: Server, signal = new AbortController().signal): Watched {
  const watched: Watched = {
    dataDirs: [],
    closed: 0,
    world: {
      environment: { PORT: '0' },
      print: () => undefined,
      colors: chooseColors({}, {}),
      signal,
      startService: async (settings) => {
        watched.dataDirs.push(settings.dataDir);
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        return {
          url: `http://127.0.0.1:${String(port)}`,
          ready: Promise.resolve(),
          close: () => {
            watched.closed += 1;
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
  return watched;
}

function expectTidy(watched: Watched): void {
  expect(watched.closed).toBe(1);
  expect(watched.dataDirs).toHaveLength(1);
  for (const dataDir of watched.dataDirs) expect(existsSync(dataDir)).toBe(false);
}

describe('the demo, when something is wrong', () => {
  test('names the request, the status and the request id, and cleans up', async () => {
    const server = createServer((_, response) => {
      response.writeHead(503, { 'x-request-id': 'r-1' }).end('{"detail":"ClickHouse is away"}');
    });
    const watched = watch(server);
    const run = runDemo(watched.world, { once: true });
    await expect(run).rejects.toThrow(DemoError);
    await expect(run).rejects.toThrow(
      /POST \/calls\/usage was answered with 503 Service Unavailable.*r-1.*\n.*ClickHouse is away/,
    );
    expectTidy(watched);
  });

  test('says that no answer came, and cleans up', async () => {
    const server = createServer((request) => {
      request.socket.destroy();
    });
    const watched = watch(server);
    await expect(runDemo(watched.world, { once: true })).rejects.toThrow(
      /POST \/calls\/usage got no answer: \S/,
    );
    expectTidy(watched);
  });

  test('says which call an answer leaves out', async () => {
    const server = createServer((_, response) => {
      response.end('{"call_usage": {}, "unfinished_call_ids": []}');
    });
    const watched = watch(server);
    await expect(runDemo(watched.world, { once: true })).rejects.toThrow(
      /The answer says nothing of call [0-9a-f-]{36}/,
    );
    expectTidy(watched);
  });

  test('ends while a request is under way when it is told to, and cleans up', async () => {
    const stop = new AbortController();
    const server = createServer(() => {
      stop.abort();
    });
    const watched = watch(server, stop.signal);
    await expect(runDemo(watched.world, { once: false })).rejects.toThrow(/aborted/);
    expectTidy(watched);
  });

  test('ends while the service still waits for its engine when it is told to, and cleans up', async () => {
    const stop = new AbortController();
    const watched = watch(createServer(), stop.signal);
    const world: DemoWorld = {
      ...watched.world,
      startService: async (settings) => {
        const service = await watched.world.startService(settings);
        setImmediate(() => {
          stop.abort();
        });
        return { ...service, ready: new Promise(() => undefined) };
      },
    };
    await expect(runDemo(world, { once: false })).rejects.toThrow(/aborted/);
    expectTidy(watched);
  });

  test('removes its directory when the service cannot start', async () => {
    const watched = watch(createServer());
    const world: DemoWorld = {
      ...watched.world,
      startService: (settings) => {
        watched.dataDirs.push(settings.dataDir);
        return Promise.reject(new Error('no engine'));
      },
    };
    await expect(runDemo(world, { once: true })).rejects.toThrow('no engine');
    expect(watched.dataDirs.map((dataDir) => existsSync(dataDir))).toEqual([false]);
  });
});
