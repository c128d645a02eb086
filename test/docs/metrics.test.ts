import { describe, expect, test } from 'vitest';
import { issueMessages } from '../../src/http/validation/issues.ts';
import { queryPaths } from '../../src/clickhouse/client/statements/queries.ts';
import { unreadyReasons } from '../../src/readiness.ts';
import { usageClientFixture } from '../support/fixtures.ts';
import { readMetrics } from '../support/http/metrics.ts';
import { readText, tableOf, uncoded } from '../support/markdown.ts';

const text = readText('docs/metrics.md');
const documented = [...tableOf(text, 'metric'), ...tableOf(text, 'process metric')].map(
  ([name = '', type, labels = '', meaning]) => ({
    name: uncoded(name),
    type,
    labels: codesIn(labels),
    meaning,
  }),
);
const client = usageClientFixture();

function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

test('docs/metrics.md has every metric with its type and meaning, and no other', async () => {
  const metrics = await readMetrics(client.service);
  const served = metrics.map(({ name, type, help }) => ({ name, type, meaning: help }));
  const expected = documented
    .filter(({ name }) => process.platform === 'linux' || !isOnLinuxOnly(name))
    .map(({ name, type, meaning }) => ({ name, type, meaning }));
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
  expect(served.sort(byName)).toEqual(expected.sort(byName));
  expect(served.length).toBeGreaterThan(40);
});

function isOnLinuxOnly(name: string): boolean {
  return name.startsWith('process_') && /fds|virtual|heap/.test(name);
}

describe('labels', () => {
  const values = new Map(
    tableOf(text, 'label').map(([label = '', cell = '']) => [uncoded(label), codesIn(cell)]),
  );

  /** Whether the documents name this value, or the set that has it. */
  function isDocumented(label: string, value: string): boolean {
    if (label === 'le') return value === '+Inf' || Number(value) > 0;
    if (values.get(label)?.includes(value) === true) return true;
    if (label === 'fault') return value in issueMessages;
    if (label === 'reason') return value in unreadyReasons;
    if (label === 'query') return (queryPaths as ReadonlyMap<string, string>).has(value);
    return label === 'route' && endpoints.some((path) => path === value);
  }

  const endpoints = tableOf(readText('docs/api.md'), 'endpoint').map(([endpoint = '']) =>
    uncoded(endpoint)
      .replace(/^\w+ /, '')
      .replace(/\{(\w+)\}/g, ':$1'),
  );

  test('requests of any kind create only the documented labels and values of the service', async () => {
    await sendRequestsOfAllKinds();
    const metrics = await readMetrics(client.service);
    const own = metrics.filter(({ name }) => name.startsWith('calls_usage_'));
    const labelsOf = new Map(documented.map(({ name, labels }) => [name, labels]));
    let checked = 0;
    for (const { name, samples } of own) {
      for (const { labels } of samples) {
        const names = Object.keys(labels).filter((label) => label !== 'le');
        expect(names.sort(), name).toEqual([...(labelsOf.get(name) ?? [])].sort());
        for (const [label, value] of Object.entries(labels)) {
          expect(isDocumented(label, value), `${name} ${label}="${value}"`).toBe(true);
          checked += 1;
        }
      }
    }
    expect(checked).toBeGreaterThan(100);
  });

  async function sendRequestsOfAllKinds(): Promise<void> {
    const { service } = client;
    const project = client.newProject();
    await project.sendCompleteCalls({ id: 'a' });
    await project.queryUsage(['a'], { include_costs: true });
    await service.send('/call/upsert_batch', { body: { batch: [{ mode: 'none' }, 1] } });
    await service.send('/calls/usage', { body: { project_id: project.id, secret: 1 } });
    await service.send('/calls/usage', { method: 'PROPFIND' });
    await service.send(`/${project.id}`);
    await service.send('/health', { key: null });
    await service.send('/calls/usage', { key: 'wrong', body: {} });
  }
});
