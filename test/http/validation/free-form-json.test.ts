import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readOpenApi } from '../../../src/http/validation/openapi.ts';
import { toRequestCases, type Document } from '../../support/request-cases.ts';
import { serviceFixture } from '../../support/fixtures.ts';

const document = readOpenApi(new URL('../../../openapi/', import.meta.url))
  .document as unknown as Document;

const endpoints = Object.entries(document.paths).flatMap(([path, methods]) => {
  const schema = methods['post']?.requestBody?.content['application/json']?.schema;
  if (schema === undefined) return [];
  const { example } = toRequestCases(document, schema);
  return [[path.replace('{entity}', 'entity').replace('{project}', 'project'), example]] as const;
});

const service = serviceFixture();

/** A right body in which one value, anywhere, is any JSON. */
function spoiled(example: unknown): fc.Arbitrary<unknown> {
  const anything = fc.jsonValue({ depthSize: 'small', stringUnit: 'binary' });
  if (Array.isArray(example)) {
    return fc.oneof(
      anything,
      spoiled(example[0]).map((entry) => [entry]),
    );
  }
  if (typeof example !== 'object' || example === null) return anything;
  const fields = Object.entries(example).map(([name, entry]) =>
    spoiled(entry).map((spoiledEntry) => ({ ...example, [name]: spoiledEntry })),
  );
  return fields.length === 0 ? anything : fc.oneof(anything, ...fields);
}

test.each(endpoints)('%s answers any JSON without a fault of its own', async (path, example) => {
  await fc.assert(
    fc.asyncProperty(spoiled(example), async (body) => {
      const answer = await service.send(path, { body: JSON.stringify(body) });
      // The engine is away, so 503 is the answer to what is right; 400 to a purge of what is no id.
      expect(path === '/cost/purge' ? [400, 422, 503] : [200, 422, 503], answer.text).toContain(
        answer.status,
      );
      if (answer.status === 422) {
        const { detail } = answer.json() as { detail: { loc: unknown[] }[] };
        expect(detail.length).toBeGreaterThan(0);
        expect(detail.every(({ loc }) => loc[0] === 'body')).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});
