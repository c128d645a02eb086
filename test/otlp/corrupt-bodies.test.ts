import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJsonTraces } from '../../src/ingest/otlp/json-traces.ts';
import { readProtobufTraces } from '../../src/ingest/otlp/protobuf-traces.ts';
import { type ReceivedSpan, TraceFormatError } from '../../src/ingest/otlp/received-span.ts';

const read = (file: string): Buffer => readFileSync(new URL(`captures/${file}`, import.meta.url));

/** Reads all spans of a body; undefined where it is refused. Any other error fails the test. */
function readSpans(readTraces: typeof readJsonTraces, body: Buffer): ReceivedSpan[] | undefined {
  const spans: ReceivedSpan[] = [];
  const handler = {
    startResource: () => undefined,
    startScope: () => undefined,
    span: (span: ReceivedSpan) => void spans.push(span),
  };
  const steps = readTraces(body, { maxAttributes: 1_000 }, handler);
  try {
    while (steps.next().done !== true);
    return spans;
  } catch (error) {
    expect(error).toBeInstanceOf(TraceFormatError);
    return undefined;
  }
}

/** A body in which some bytes are replaced, and perhaps the end is missing. */
function damagedBody(body: Buffer, bytes: fc.Arbitrary<number>): fc.Arbitrary<Buffer> {
  const position = fc.nat(body.length - 1);
  const changes = fc.array(fc.tuple(position, bytes), { minLength: 1, maxLength: 3 });
  return fc
    .tuple(changes, fc.oneof(fc.constant(body.length), position))
    .map(([replaced, length]) => {
      const damaged = Buffer.from(body);
      for (const [at, byte] of replaced) damaged[at] = byte;
      return damaged.subarray(0, length);
    });
}

const json = read('synthetic-three-layers.json');
const structural = fc.constantFrom(...Buffer.from('{}[]",:\\ 0nt'));

test('a damaged body in JSON is read only if it is JSON', () => {
  let accepted = 0;
  fc.assert(
    fc.property(damagedBody(json, fc.oneof(structural, fc.nat(255))), (body) => {
      const spans = readSpans(readJsonTraces, body);
      if (spans === undefined) return;
      accepted += 1;
      expect(() => JSON.parse(body.toString()) as unknown).not.toThrow();
    }),
    { numRuns: 5_000 },
  );
  expect(accepted).toBeGreaterThan(50);
});

test('valid JSON is read whatever its members are, and however it is spaced', () => {
  const { resourceSpans } = JSON.parse(json.toString()) as { resourceSpans: unknown[] };
  const expected = readSpans(readJsonTraces, json);
  expect(expected).toHaveLength(3);
  fc.assert(
    fc.property(fc.json(), fc.json(), fc.nat(3), (before, after, spaces) => {
      const members = {
        before: JSON.parse(before) as unknown,
        resourceSpans,
        after: JSON.parse(after) as unknown,
      };
      const body = Buffer.from(JSON.stringify(members, undefined, spaces));
      expect(readSpans(readJsonTraces, body)).toEqual(expected);
    }),
  );
});

test('a damaged body in protobuf is read or refused', () => {
  const protobuf = read('vercel-ai-v7-nested.pb');
  let refused = 0;
  fc.assert(
    fc.property(damagedBody(protobuf, fc.nat(255)), (body) => {
      if (readSpans(readProtobufTraces, body) === undefined) refused += 1;
    }),
    { numRuns: 5_000 },
  );
  expect(refused).toBeGreaterThan(500);
});
