import {
  type Answer,
  batchOf,
  compress,
  countStatuses,
  post,
  project,
  type SentBody,
} from './requests.ts';
import { figures, type Outcome, type Scenario } from './scenario.ts';
import { type AbusedService, startService, watch } from './service.ts';

/** Bodies that are larger than they look, or many at once. */
export const bodyScenarios: readonly Scenario[] = [
  {
    name: '1 gzip body of 58 KB that becomes 60 MB of {}',
    bound: '413 or 422; +150 MiB; /livez p99 100 ms',
    run: (dataDir) => emptyObjects(dataDir, 1),
  },
  {
    name: '8 gzip bodies of 58 KB that become 60 MB of {}',
    bound: '413 or 422; +150 MiB; /livez p99 100 ms',
    run: (dataDir) => emptyObjects(dataDir, 8),
  },
  {
    name: '60 × 175 KB of call_ids at once',
    bound: 'all answered or 503; +300 MiB',
    run: manyIds,
  },
  ...(['plain', 'chunked', 'gzipped'] as const).flatMap((form) =>
    [8, 40].map((count): Scenario => ({
      name: `${count} batches of 60 MB, ${form}`,
      bound: 'each stored or 503; +400 MiB; /livez p99 250 ms',
      run: (dataDir) => largeBatches(dataDir, form, count),
    })),
  ),
  {
    name: '20 gzip bombs of 1 GB',
    bound: '413 each; +100 MiB',
    run: bombs,
  },
];

/** Starts a service, lets `send` abuse it while it is watched, and judges. */
async function abuse(
  dataDir: string,
  send: (service: AbusedService) => Promise<readonly Answer[]>,
  isWithin: (
    statuses: readonly number[],
    measured: { readonly aboveIdleMb: number; readonly livezP99Ms: number },
  ) => boolean,
): Promise<Outcome> {
  const service = await startService(dataDir);
  try {
    await post(service.url, '/calls/usage', { project_id: project, call_ids: ['warm-up'] });
    const watching = await watch(service);
    const answers = await send(service);
    const measured = await watching.stop();
    return {
      measured: `${countStatuses(answers)}; ${figures(measured)}`,
      isWithinBound: isWithin(
        answers.map(({ status }) => status),
        measured,
      ),
    };
  } finally {
    await service.stop();
  }
}

function isRefused(status: number): boolean {
  return status === 413 || status === 422;
}

function isAnsweredOrFull(status: number): boolean {
  return status === 200 || status === 503;
}

async function emptyObjects(dataDir: string, count: number): Promise<Outcome> {
  const text = `{"project_id":"${project}","call_ids":[],"x":[0${',{}'.repeat(20_000_000)}]}`;
  const body: SentBody = { bytes: await compress(text), encoding: 'gzip' };
  return await abuse(
    dataDir,
    ({ url }) => Promise.all(Array.from({ length: count }, () => post(url, '/calls/usage', body))),
    (statuses, { aboveIdleMb, livezP99Ms }) =>
      statuses.every((status) => isRefused(status) || (count > 1 && status === 503)) &&
      aboveIdleMb <= 150 &&
      livezP99Ms <= 100,
  );
}

async function manyIds(dataDir: string): Promise<Outcome> {
  const call_ids = Array.from({ length: 4_500 }, (_, index) => `01a19b89-77c0-7ed4-9492-${index}`);
  return await abuse(
    dataDir,
    ({ url }) =>
      Promise.all(
        Array.from({ length: 60 }, () =>
          post(url, '/calls/usage', { project_id: project, call_ids }),
        ),
      ),
    (statuses, { aboveIdleMb }) => statuses.every(isAnsweredOrFull) && aboveIdleMb <= 300,
  );
}

async function largeBatches(
  dataDir: string,
  form: 'plain' | 'chunked' | 'gzipped',
  count: number,
): Promise<Outcome> {
  const plain = batchOf(60, count);
  const body: SentBody =
    form === 'gzipped'
      ? { bytes: await compress(plain), encoding: 'gzip' }
      : { bytes: plain, isChunked: form === 'chunked' };
  return await abuse(
    dataDir,
    ({ url }) =>
      Promise.all(Array.from({ length: count }, () => post(url, '/call/upsert_batch', body))),
    (statuses, { aboveIdleMb, livezP99Ms }) =>
      statuses.every(isAnsweredOrFull) && aboveIdleMb <= 400 && livezP99Ms <= 250,
  );
}

async function bombs(dataDir: string): Promise<Outcome> {
  const body: SentBody = {
    bytes: await compress(Buffer.alloc(1_000_000_000, ' ')),
    encoding: 'gzip',
  };
  return await abuse(
    dataDir,
    ({ url }) =>
      Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          post(url, index % 2 === 0 ? '/call/upsert_batch' : '/calls/usage', body),
        ),
      ),
    (statuses, { aboveIdleMb }) => statuses.every((status) => status === 413) && aboveIdleMb <= 100,
  );
}
