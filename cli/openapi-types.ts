import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { readOpenApi } from '../src/http/validation/openapi.ts';

const header = `/**
 * Types of every request and response, generated from openapi/calls-usage.openapi.yaml and
 * openapi/service.openapi.yaml by "npm run types:update". Do not edit.
 */

`;

/** Writes src/openapi-types.ts; with `--check` it only compares and fails when the file is out of date. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const file = new URL('../src/openapi-types.ts', import.meta.url);
  const types = await toTypes();
  if (!values.check) writeFileSync(file, types);
  else if (readFileSync(file, 'utf8') !== types) {
    console.error('src/openapi-types.ts is out of date; run npm run types:update.');
    process.exitCode = 1;
  }
}

/** @returns the text of src/openapi-types.ts */
async function toTypes(): Promise<string> {
  const { document } = readOpenApi(new URL('../openapi/', import.meta.url));
  const types = await openapiTS(document as unknown as OpenAPI3, {
    alphabetize: false,
    immutable: true,
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
  });
  return header + astToString(types);
}

await main();
