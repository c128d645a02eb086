import { execFile } from 'node:child_process';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

import { makeDirectory } from '../../support/clickhouse/embedded-clickhouse.ts';
import { openService, type TestService } from '../../support/http/service.ts';
import { promptTokens, promptUsage, toProject } from '../../support/usage-client.ts';

const run = promisify(execFile);

/** Mounts a file system of its own in memory, until the test ends; undefined where that is not allowed. */
async function useSmallDisk(): Promise<string | undefined> {
  const { path, remove } = await makeDirectory();
  onTestFinished(remove);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', path]);
  } catch {
    return undefined;
  }
  onTestFinished(async () => {
    await run('umount', [path]);
  });
  return path;
}

async function sendCall(
  service: TestService,
  id: string,
): Promise<{ status: number; text: string }> {
  const project = toProject(service, 'team/full');
  const call = project.completeCall(
    { id, trace: `trace of ${id}`, usage: promptUsage(7) },
    { display_name: id.repeat(200) },
  );
  return await service.send('/v2/team/full/calls/complete', { body: { batch: [call] } });
}

test('on a full disk calls are refused with a 503 that says so, and when there is room again nothing acknowledged is missing', async ({
  skip,
}) => {
  const path = await useSmallDisk();
  if (path === undefined) {
    skip('SKIPPED: this user may not mount a file system');
    return;
  }
  const service = await openService({ CLICKHOUSE_URL: '', DATA_DIR: path });
  onTestFinished(() => service.close());
  await service.ready;
  const acknowledged: string[] = [];
  const send = async (id: string): Promise<{ status: number; text: string }> => {
    const answer = await sendCall(service, id);
    if (answer.status === 200) acknowledged.push(id);
    return answer;
  };
  for (let call = 0; call < 5; call += 1) await send(`before ${call}`);
  expect(acknowledged).toHaveLength(5);

  const { bavail, bsize } = await statfs(path);
  const filler = join(path, 'filler');
  await writeFile(filler, Buffer.alloc(bavail * bsize)).catch((error: unknown) => {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  });
  const refused = await send('on a full disk');
  expect(refused.status, refused.text).toBe(503);
  expect(JSON.parse(refused.text)).toEqual({ detail: 'ClickHouse has no disk space left.' });
  expect(service.logLines()).toContainEqual(
    expect.objectContaining({ level: 50, msg: 'ClickHouse has no disk space left' }),
  );

  await rm(filler);
  await expect.poll(async () => (await send('when there is room')).status).toBe(200);
  const project = toProject(service, 'team/full');
  const usage = await project.queryUsage([...acknowledged, 'on a full disk']);
  expect(acknowledged.map((id) => promptTokens(usage, id))).toEqual(acknowledged.map(() => 7));
});
