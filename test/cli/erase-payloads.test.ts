import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';

import { findInFiles } from '../support/clickhouse/clickhouse-files.ts';
import { makeDirectory, startServer } from '../support/clickhouse/embedded-clickhouse.ts';
import { addQuickCleanup } from '../support/clickhouse/embedded-overrides.ts';
import { clusterFixture } from '../support/fixtures.ts';
import { openService } from '../support/http/service.ts';
import { type EndedNode, nodeArgumentsOf, runNode } from '../support/package/npm-command.ts';
import { promptTokens, promptUsage, toProject } from '../support/usage-client.ts';

type Environment = Readonly<Record<string, string>>;

function run(environment: Environment, ...options: string[]): Promise<EndedNode> {
  const env = { PATH: process.env['PATH'], ...environment };
  return runNode([...nodeArgumentsOf('erase-payloads'), ...options], { env });
}

const callIds = Array.from({ length: 20 }, (_, index) => `call-${index}`);

type Texts = Readonly<Record<'payload' | 'name', string>>;

function newTexts(): Texts {
  const newText = (): string => randomBytes(12).toString('base64url');
  return { payload: newText(), name: newText() };
}

/** Starts a service that stores payloads, sends calls in traces of their own and stops it. */
async function storePayloads(environment: Environment, texts: Texts): Promise<void> {
  const service = await openService({ ...environment, PAYLOAD_RETENTION_DAYS: '7' });
  await service.ready;
  const project = toProject(service, 'team/erased');
  const body = {
    batch: callIds.map((id) =>
      project.completeCall({ id, trace: `trace of ${id}`, usage: promptUsage(7) }, toFields(texts)),
    ),
  };
  const answer = await service.send('/v2/team/erased/calls/complete', { body });
  expect(answer.status, answer.text).toBe(200);
  await service.close();
}

function toFields({ payload, name }: Texts): object {
  const output = { id: 'kept', payload };
  return { inputs: { payload }, output, exception: payload, display_name: name };
}

async function sumPromptTokens(environment: Environment): Promise<number> {
  const service = await openService(environment);
  await service.ready;
  const answer = await toProject(service, 'team/erased').queryUsage(callIds);
  await service.close();
  return callIds.reduce((sum, id) => sum + promptTokens(answer, id), 0);
}

describe('npm run erase-payloads', () => {
  test('counts payloads at first; with --yes no file has them, and usage stays', async () => {
    const { path, remove } = await makeDirectory();
    onTestFinished(remove);
    await addQuickCleanup(path);
    const environment = { CLICKHOUSE_URL: '', DATA_DIR: path };
    const texts = newTexts();
    await storePayloads(environment, texts);

    const counted = await run(environment);
    expect([counted.code, counted.stderr]).toEqual([0, '']);
    expect(counted.stdout).toMatch(/^20 parts of calls have a payload\. .* -- --yes/);
    expect(await findInFiles(path, texts)).toEqual(['name', 'payload']);

    const erased = await run(environment, '--yes');
    expect([erased.code, erased.stderr]).toEqual([0, '']);
    expect(erased.stdout).toMatch(/^Erased the payloads of 20 parts\..*\nthey are removed\.$/ms);
    expect(await findInFiles(path, texts)).toEqual(['name']);
    expect(await sumPromptTokens(environment)).toBe(7 * callIds.length);
    expect((await run(environment, '--yes')).stdout).toBe('No payload is stored.\n');
  });

  test('says that a database without migrations has to be migrated first', async () => {
    const { path, remove } = await makeDirectory();
    onTestFinished(remove);
    const server = await startServer(path);
    await server.stop();
    const { code, stderr } = await run({ CLICKHOUSE_URL: '', DATA_DIR: path }, '--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('Start the service once.')]);
  });

  test('prints its options for others and exits with 2', async () => {
    const { code, stderr } = await run({}, '--no');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^npm run erase-payloads /)]);
  });
});

describe('on a cluster', () => {
  const cluster = clusterFixture();

  test('npm run erase-payloads erases payloads from the files of every node', async () => {
    const texts = newTexts();
    await storePayloads(cluster.environment, texts);
    for (const path of cluster.dataDirs) {
      expect(await findInFiles(path, texts)).toEqual(['name', 'payload']);
    }
    const erased = await run(cluster.environment, '--yes');
    expect([erased.code, erased.stderr]).toEqual([0, '']);
    for (const path of cluster.dataDirs) expect(await findInFiles(path, texts)).toEqual(['name']);
    expect(await sumPromptTokens(cluster.environment)).toBe(7 * callIds.length);
  });
});
