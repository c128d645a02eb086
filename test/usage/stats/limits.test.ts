import { expect, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';

const maxCalls = 5;
const client = usageClientFixture({ STATS_MAX_CALLS: String(maxCalls), STATS_BATCH_CALLS: '2' });

test('a window whose traces have more calls than may be read is refused with both numbers', async () => {
  const project = client.newProject();
  const usage = { m: { requests: 1 } };
  const call = (id: string, hour: number) => ({
    ...{ id, trace: `trace ${hour}`, parent: id === 'root' ? undefined : 'root', usage },
    startedAt: `2026-03-01T1${hour}:00:00Z`,
  });
  const early = ['root', 'a', 'b'].map((id) => call(id, 0));
  const late = ['r2', 'c', 'd'].map((id) => call(id, 1));
  await project.sendCompleteCalls(...early, ...late);
  const send = (start: string, end: string, path = '/calls/stats', more: object = {}) =>
    client.service.send(path, {
      body: {
        project_id: project.id,
        start,
        end,
        usage_metrics: [{ metric: 'requests' }],
        ...more,
      },
    });
  const all = await send('2026-03-01T10:00:00Z', '2026-03-01T12:00:00Z');
  expect(all.status).toBe(422);
  expect(all.json()).toEqual({
    detail: [
      {
        loc: ['body', 'start'],
        type: 'window_too_large',
        msg:
          `The traces of the window have 6 calls, which is more than STATS_MAX_CALLS, ${maxCalls}; ` +
          'choose a smaller window or a filter',
      },
    ],
  });
  // What would help, helps; three calls are read by two statements.
  const some = await send('2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z');
  expect(some.status, some.text).toBe(200);
  expect(some.text).toContain('"sum_requests":3,');
  const filtered = { filter: { trace_ids: ['trace 1'] } };
  const other = await send(
    '2026-03-01T10:00:00Z',
    '2026-03-01T12:00:00Z',
    '/calls/stats',
    filtered,
  );
  expect(other.text).toContain('"sum_requests":3,');
});
