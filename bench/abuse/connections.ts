import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Answer,
  countStatuses,
  openSocket,
  post,
  project,
  toAuthorization,
} from './requests.ts';
import { figures, type Outcome, type Scenario } from './scenario.ts';
import { keys, startService, waitUntil, watch } from './service.ts';

/** Clients that keep connections open and do not go on. */
export const connectionScenarios: readonly Scenario[] = [
  {
    name: '100 half-open sockets and 4 declared bodies of 64 MB, default settings',
    bound:
      'ingestion of another key 200 throughout; descriptors at idle + 5 within 5 s of the timeout',
    run: declaredBodies,
  },
  {
    name: '12 readers that do not read a 30 MB answer',
    bound: 'cut off; +200 MiB',
    run: slowReaders,
  },
  {
    name: '500 slow header senders',
    bound: 'other requests unaffected',
    run: slowHeaders,
  },
];

/** REQUEST_TIMEOUT_MS by default, and how often it is looked at. */
const requestTimeoutMs = 120_000 + 5_000;

function start(id: string): object {
  return {
    start: {
      ...{ project_id: project, id, trace_id: id, op_name: 'op', attributes: {}, inputs: {} },
      started_at: '2026-01-01T00:00:00Z',
    },
  };
}

async function declaredBodies(dataDir: string): Promise<Outcome> {
  const service = await startService(dataDir);
  try {
    const idle = await service.descriptors();
    const head =
      `POST /call/upsert_batch HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n` +
      `authorization: ${toAuthorization(keys.abuser)}\r\ncontent-length: 67108864\r\n\r\n`;
    await Promise.all(Array.from({ length: 4 }, () => openSocket(service.url, head)));
    await Promise.all(
      Array.from({ length: 100 }, () => openSocket(service.url, 'POST /call/start HTTP/1.1\r\n')),
    );
    const answers: Answer[] = [];
    const end = performance.now() + requestTimeoutMs;
    while (performance.now() < end) {
      answers.push(await post(service.url, '/call/start', start(`c${answers.length}`), keys.other));
      await sleep(200);
    }
    const closedAfterMs = await waitUntil(
      async () => (await service.descriptors()) <= idle + 5,
      60_000,
    );
    return {
      measured: `${countStatuses(answers)}; descriptors back after ${(closedAfterMs / 1000).toFixed(1)} s`,
      isWithinBound: answers.every(({ status }) => status === 200) && closedAfterMs <= 5_000,
    };
  } finally {
    await service.stop();
  }
}

/** Calls whose models make an answer of 30 MB: 150,000 models in one trace. */
async function sendManyModels(url: string): Promise<void> {
  for (let batch = 0; batch < 15; batch += 1) {
    const calls = Array.from({ length: 10 }, (_, index) => {
      const id = `many-${batch}-${index}`;
      const models = Array.from({ length: 1_000 }, (_, model) => `model-${id}-${model}`);
      return {
        ...{
          project_id: project,
          id,
          trace_id: 'many',
          parent_id: batch + index === 0 ? null : 'many-0-0',
        },
        ...{ op_name: 'op', attributes: {}, inputs: {} },
        ...{ started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T00:00:01Z' },
        summary: {
          usage: Object.fromEntries(
            models.map((name) => [name, { requests: 1, prompt_tokens: 1 }]),
          ),
        },
      };
    });
    const { status, text } = await post(url, `/v2/${project}/calls/complete`, { batch: calls });
    if (status !== 200) throw new Error(`${status}: ${text}`);
  }
}

/** How long twelve answers may take to be added up, one after another, and to be cut off. */
const closeTimeoutMs = 120_000;

async function slowReaders(dataDir: string): Promise<Outcome> {
  const service = await startService(dataDir, { RESPONSE_STALL_TIMEOUT_MS: '5000' });
  try {
    await sendManyModels(service.url);
    const body = JSON.stringify({ project_id: project, call_ids: ['many-0-0'], limit: 1_000_000 });
    const head =
      `POST /calls/usage HTTP/1.1\r\nhost: bench\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `authorization: ${toAuthorization(keys.abuser)}\r\ncontent-length: ${body.length}\r\n\r\n`;
    const whole = await post(service.url, '/calls/usage', JSON.parse(body) as object);
    await sleep(1_000);
    const watching = await watch(service);
    const idle = await service.descriptors();
    const sockets = await Promise.all(
      Array.from({ length: 12 }, () => openSocket(service.url, head + body)),
    );
    for (const socket of sockets) socket.pause();
    // Each is closed once its answer was refused or cut off, which begins when the answer is added up.
    const closedAfterMs = await waitUntil(
      async () => (await service.descriptors()) <= idle,
      closeTimeoutMs,
    ).catch(() => Infinity);
    const measured = await watching.stop();
    for (const socket of sockets) socket.destroy();
    const closed =
      closedAfterMs === Infinity
        ? `connections open after ${closeTimeoutMs / 1000} s`
        : `all closed after ${(closedAfterMs / 1000).toFixed(1)} s`;
    return {
      measured: `answer of ${(whole.text.length / 1e6).toFixed(0)} MB; ${closed}; ${figures(measured)}`,
      // Without a probe while they were open, no connection held an answer.
      isWithinBound:
        closedAfterMs < Infinity && measured.livezP99Ms < Infinity && measured.aboveIdleMb <= 200,
    };
  } finally {
    await service.stop();
  }
}

async function slowHeaders(dataDir: string): Promise<Outcome> {
  const service = await startService(dataDir);
  try {
    const sockets = await Promise.all(
      Array.from({ length: 500 }, () => openSocket(service.url, 'GET /health HTTP/1.1\r\nhost: b')),
    );
    const watching = await watch(service);
    const answers: Answer[] = [];
    for (let second = 0; second < 10; second += 1) {
      for (const socket of sockets) socket.write('x');
      answers.push(await post(service.url, '/call/start', start(`h${second}`), keys.other));
      await sleep(1_000);
    }
    const measured = await watching.stop();
    for (const socket of sockets) socket.destroy();
    return {
      measured: `${countStatuses(answers)}; ${figures(measured)}`,
      isWithinBound: answers.every(({ status }) => status === 200) && measured.livezP99Ms <= 100,
    };
  } finally {
    await service.stop();
  }
}
