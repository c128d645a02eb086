import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';

const directory = new URL('captures/', import.meta.url);
const names = readdirSync(directory)
  .filter((file) => file.endsWith('.json') && file !== 'truth.json')
  .map((file) => file.slice(0, -'.json'.length));
const namesInProtobuf = readdirSync(directory)
  .filter((file) => file.endsWith('.pb'))
  .map((file) => file.slice(0, -'.pb'.length));

const client = usageClientFixture();

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string | number;
  readonly endTimeUnixNano: string | number;
}

function spansOf(name: string): Span[] {
  const { resourceSpans } = JSON.parse(
    readFileSync(new URL(`${name}.json`, directory), 'utf8'),
  ) as {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: Span[] }[];
    }[];
  };
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

async function sendCapture(file: string, projectId: string): Promise<void> {
  const type = file.endsWith('.pb') ? 'application/x-protobuf' : 'application/json';
  const answer = await client.service.send('/otel/v1/traces', {
    method: 'POST',
    body: readFileSync(new URL(file, directory)),
    headers: { 'content-type': type, project_id: projectId },
  });
  expect([answer.status, answer.text, answer.headers.get('content-type')]).toEqual([
    200,
    type === 'application/json' ? '{}' : '',
    type,
  ]);
}

/** All columns of the parts of a project, but for the project and what depends on the time of the insert. */
function readRows(projectId: string): Promise<Record<string, unknown>[]> {
  return client.clickhouse.query(
    `SELECT * EXCEPT (project_id, inserted_at), usage_fields FROM call_parts FINAL
    WHERE project_id = '${projectId}' ORDER BY trace_id, id`,
  );
}

test('there are captures in both formats', () => {
  expect(names.length).toBeGreaterThanOrEqual(26);
  expect(namesInProtobuf.length).toBeGreaterThanOrEqual(3);
});

describe.each(names)('%s', (name) => {
  test('every span is a complete call with its ids, name and times in microseconds', async () => {
    const { id } = client.newProject();
    await sendCapture(`${name}.json`, id);
    const rows = await readRows(id);
    const toTime = (ns: string | number): string => {
      const us = String(BigInt(ns) / 1_000n);
      return `${new Date(Number(us.slice(0, -6)) * 1_000).toISOString().slice(0, 19).replace('T', ' ')}.${us.slice(-6)}`;
    };
    const expected = spansOf(name)
      .map((span) => ({
        id: span.spanId,
        trace_id: span.traceId,
        parent_id: span.parentSpanId ?? '',
        op_name: span.name,
        kind: 'whole',
        usage_mode: 2,
        started_at: toTime(span.startTimeUnixNano),
        ended_at: toTime(span.endTimeUnixNano),
      }))
      .sort((a, b) => (a.trace_id + a.id < b.trace_id + b.id ? -1 : 1));
    expect(rows).toMatchObject(expected);
    expect(rows).toHaveLength(expected.length);
  });

  test('the same capture again changes nothing', async () => {
    const { id } = client.newProject();
    await sendCapture(`${name}.json`, id);
    const rows = await readRows(id);
    await sendCapture(`${name}.json`, id);
    expect(await readRows(id)).toEqual(rows);
  });
});

test.each(namesInProtobuf)('%s has the same rows in protobuf as in JSON', async (name) => {
  const [json, protobuf] = [client.newProject(), client.newProject()];
  await sendCapture(`${name}.json`, json.id);
  await sendCapture(`${name}.pb`, protobuf.id);
  const rows = await readRows(json.id);
  expect(rows.length).toBeGreaterThan(0);
  expect(await readRows(protobuf.id)).toEqual(rows);
});
