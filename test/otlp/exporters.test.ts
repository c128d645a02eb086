import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { expect, onTestFinished, test } from 'vitest';
import { clickhouseFixture } from '../support/fixtures.ts';
import {
  basicAuthorization,
  openService,
  type TestService,
  testKey,
} from '../support/http/service.ts';
import { toProject } from '../support/usage-client.ts';

const database = clickhouseFixture();

const senders = 4;
const tracesPerSender = 300;

/** Fewer than the requests with which all senders begin at once. */
const overloaded = { RATE_LIMIT_PER_SECOND: '2' };

const settings = { DRAIN_MS: '0' };

test.each([
  ['protobuf', ProtobufExporter],
  ['json', JsonExporter],
])(
  'what real exporters send in %s is stored once, although the service is overloaded and restarts meanwhile',
  { timeout: 120_000 },
  async (format, Exporter) => {
    const projectId = `exporters/${format}`;
    let service = await openService({ ...database.environment, ...settings, ...overloaded });
    onTestFinished(() => service.close());
    await service.ready;
    const services = [service];
    const exporters = Array.from({ length: senders }, () => new Exporter(toOptions(service)));
    const providers = exporters.map((exporter) => {
      const provider = openProvider(exporter, projectId);
      onTestFinished(() => provider.shutdown());
      return provider;
    });

    for (const [sender, provider] of providers.entries()) runTraces(provider, sender, 0);
    await expect.poll(() => countSpans(projectId)).toBeGreaterThan(0);
    const { port } = new URL(service.url);
    await service.close();
    for (const [sender, provider] of providers.entries()) runTraces(provider, sender, 1);
    const flushed = Promise.all(providers.map((provider) => provider.forceFlush()));
    service = await openService({ ...database.environment, ...settings, PORT: port });
    services.push(service);
    await service.ready;
    await flushed;
    // A provider does not wait for what it had begun to send before.
    await Promise.all(exporters.map((exporter) => exporter.forceFlush()));

    const statuses = services.flatMap(statusesOf);
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
    expect(statuses.filter((status) => ![200, 429, 503].includes(Number(status)))).toEqual([]);
    await expectEverythingOnce(service, projectId);
  },
);

function toOptions({ url }: TestService) {
  return {
    url: `${url}/v1/traces`,
    headers: { authorization: basicAuthorization(testKey) },
    compression: 'gzip' as never,
    timeoutMillis: 60_000,
  };
}

function openProvider(
  exporter: ConstructorParameters<typeof BatchSpanProcessor>[0],
  projectId: string,
): BasicTracerProvider {
  const [entity, project] = projectId.split('/');
  return new BasicTracerProvider({
    resource: resourceFromAttributes({ 'wandb.entity': entity, 'wandb.project': project }),
    spanProcessors: [
      new BatchSpanProcessor(exporter, {
        maxQueueSize: 10_000,
        maxExportBatchSize: 50,
        scheduledDelayMillis: 20,
        exportTimeoutMillis: 60_000,
      }),
    ],
  });
}

const inputOf = (sender: number, part: number, index: number): number =>
  1 + sender + 10 * part + 100 * index;

/** Half of the traces of a sender: an operation, and a model request that fails below it. */
function runTraces(provider: BasicTracerProvider, sender: number, part: number): void {
  const tracer = provider.getTracer('exporters');
  for (let index = 0; index < tracesPerSender / 2; index += 1) {
    const root = tracer.startSpan('answer');
    const context = trace.setSpan(ROOT_CONTEXT, root);
    const child = tracer.startSpan(
      'chat gpt-4o',
      {
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.response.model': 'gpt-4o',
          'gen_ai.usage.input_tokens': inputOf(sender, part, index),
          'gen_ai.usage.output_tokens': 1,
          'gen_ai.input.messages': 'a prompt '.repeat(100),
        },
      },
      context,
    );
    child.setStatus({ code: SpanStatusCode.ERROR }).end();
    root.end();
  }
}

async function countSpans(projectId: string): Promise<number> {
  const [row] = await database.query<{ spans: number }>(
    'SELECT toUInt32(count()) AS spans FROM call_parts FINAL WHERE project_id = {projectId: String}',
    { projectId },
  );
  return row!.spans;
}

function statusesOf(service: TestService): unknown[] {
  return service
    .logLines()
    .filter(({ route, msg }) => msg === 'request' && route !== '/readyz')
    .map(({ status }) => status);
}

async function expectEverythingOnce(service: TestService, projectId: string): Promise<void> {
  const traces = senders * tracesPerSender;
  expect(await countSpans(projectId)).toBe(2 * traces);
  const roots = await database.query<{ id: string }>(
    `SELECT id FROM call_parts FINAL WHERE project_id = {projectId: String} AND parent_id = ''`,
    { projectId },
  );
  expect(roots).toHaveLength(traces);
  const ids = roots.map(({ id }) => id);
  const { call_usage } = await toProject(service, projectId).queryUsage(ids, { limit: 2 * traces });
  const usage = ids.map((id) => call_usage[id]?.['gpt-4o']);
  expect(usage.map((each) => each?.requests)).toEqual(ids.map(() => 1));
  const expected = Array.from({ length: senders }, (_, sender) =>
    [0, 1].flatMap((part) =>
      Array.from({ length: tracesPerSender / 2 }, (__, index) => inputOf(sender, part, index)),
    ),
  ).flat();
  const inputs = usage.map((each) => each?.prompt_tokens ?? NaN);
  expect(inputs.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
}
