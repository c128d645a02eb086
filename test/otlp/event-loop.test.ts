import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { clickhouseFixture, fixture } from '../support/fixtures.ts';
import { toMaxTurnMs } from '../support/http/max-turn.ts';
import { openMeasuredService } from '../support/http/measured-service.ts';
import {
  encode,
  encodeTraces,
  type Format,
  formats,
  type JsonSpan,
  toAttributes,
  toSpan,
  toTraces,
} from '../support/otlp-traces.ts';

const database = clickhouseFixture();
const service = fixture(() => openMeasuredService({ ...database.environment, DRAIN_MS: '0' }));

async function post(format: Format, body: Buffer, headers: Readonly<Record<string, string>> = {}) {
  const contentType = format === 'json' ? 'application/json' : 'application/x-protobuf';
  await service.longestTurnMs();
  const { status } = await service.post('/otel/v1/traces', body, {
    'content-type': contentType,
    ...headers,
  });
  const longestMs = await service.longestTurnMs();
  if (process.env['PRINT_TURNS'] !== undefined) {
    console.log(`${format}, ${body.length} bytes: ${longestMs.toFixed(0)} ms`);
  }
  expect(longestMs).toBeLessThanOrEqual(toMaxTurnMs());
  return status;
}

const project = 'team/large';
const megabytes = 50;

beforeAll(async () => {
  // The first request of a kind compiles code.
  for (const format of formats) await post(format, encode(format, toTraces([toSpan(0)], project)));
});

/** A span whose attributes, events or values are as large as a body may be. */
const largeSpans: Readonly<Record<string, () => JsonSpan>> = {
  'one value': () => ({
    attributes: toAttributes({ 'gen_ai.input.messages': 'x"\\'.repeat(megabytes * 250_000) }),
  }),
  'one value that is read': () => ({
    attributes: toAttributes({ 'gen_ai.response.model': 'm'.repeat(megabytes * 1_000_000) }),
  }),
  'short attributes': () => ({
    attributes: Array.from({ length: megabytes * 16_000 }, (_, index) => ({
      key: `key-${index}`,
      value: { stringValue: 'a value' },
    })),
  }),
  'events without anything': () => ({
    events: Array.from({ length: megabytes * 50_000 }, () => ({ name: '' })),
  }),
  'an array of short values': () => ({
    attributes: [
      {
        key: 'gen_ai.response.finish_reasons',
        value: {
          arrayValue: {
            values: Array.from({ length: megabytes * 40_000 }, () => ({ boolValue: true })),
          },
        },
      },
    ],
  }),
};

test.each(
  formats.flatMap((format) => Object.keys(largeSpans).map((what) => [format, what] as const)),
)(
  'in %s, other requests wait for no more than 100 ms while a span is read that has %s',
  async (format, what) => {
    const span = toSpan(0, largeSpans[what]!());
    expect([200, 400]).toContain(await post(format, encode(format, toTraces([span], project))));
  },
  60_000,
);

test.each(formats)(
  'in %s, other requests wait for no more than 100 ms while 60,000 spans are stored',
  async (format) => {
    const spans = Array.from({ length: 60_000 }, (_, index) => toSpan(index));
    expect(await post(format, encode(format, toTraces(spans, project)))).toBe(200);
  },
  120_000,
);

test('other requests wait for no more than 100 ms while 64 MB of fields are inflated that nobody knows', async () => {
  const resourceSpans = encodeTraces(toTraces([toSpan(0)], project));
  // Fields of two bytes each: number 3 with the value 0.
  const body = Buffer.concat([Buffer.alloc(60_000_000, Buffer.from([0x18, 0])), resourceSpans]);
  const gzip = { 'content-encoding': 'gzip' };
  expect(await post('protobuf', gzipSync(body), gzip)).toBe(200);
}, 60_000);
