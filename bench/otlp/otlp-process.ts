/** Sends spans, in a process of its own; bench/otlp/measure-otlp.ts starts it and sends it orders. */
import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Address } from '../../src/clickhouse/client/open-client.ts';
import { partColumns } from '../../src/ingest/write-part.ts';
import { openBenchClient } from '../support/bench-client.ts';
import { authorization } from '../support/usage-api.ts';
import {
  type BatchBody,
  createBinaryRows,
  createJsonRows,
  createRequestBody,
} from './sample-spans.ts';

/**
 * How spans are sent, by its name in the JSON report: to the service; as rows to ClickHouse, as a pipeline inserts them; as
 * the service inserts them, without the work of decoding.
 */
export type OtlpKind =
  'protobuf' | 'protobuf_gzip' | 'json' | 'json_gzip' | 'direct' | 'direct_binary';

export interface OtlpOrder {
  readonly kind: OtlpKind;
  readonly serviceUrl: string;
  readonly address: Address;
  readonly seconds: number;
  readonly senders: number;
  readonly spansPerBatch: number;
}

export interface OtlpResult {
  /** Spans that were acknowledged. */
  readonly spans: number;
  readonly seconds: number;
  /** The first failure. */
  readonly failure: string | undefined;
}

const agent = new Agent({ keepAlive: true });

/** Batches that were sent so far; each has other ids. */
let batches = 0;

process.on('message', (order: OtlpOrder) => {
  const toFailure = (error: unknown): OtlpResult => ({
    spans: 0,
    seconds: 0,
    failure: String(error),
  });
  void run(order)
    .catch(toFailure)
    .then((result) => process.send?.(result));
});

async function run(order: OtlpOrder): Promise<OtlpResult> {
  const startedAt = performance.now();
  const endsAt = startedAt + order.seconds * 1_000;
  let spans = 0;
  let failure: string | undefined;
  const runSender = async (): Promise<void> => {
    const { body, send } = openSender(order);
    while (performance.now() < endsAt && failure === undefined) {
      batches += 1;
      body.renumber(batches);
      failure = (await send(body.bytes)) ?? failure;
      spans += order.spansPerBatch;
    }
  };
  await Promise.all(Array.from({ length: order.senders }, runSender));
  return { spans, seconds: (performance.now() - startedAt) / 1_000, failure };
}

interface Sender {
  readonly body: BatchBody;
  /** Sends a body and returns why it failed. */
  readonly send: (bytes: Buffer) => Promise<string | undefined>;
}

function openSender({ kind, serviceUrl, address, spansPerBatch }: OtlpOrder): Sender {
  if (kind === 'direct') {
    const columns = 'FORMAT JSONEachRow';
    return { body: createJsonRows(spansPerBatch), send: createInserter(address, columns) };
  }
  if (kind === 'direct_binary') {
    const columns = `(${partColumns.join()}) FORMAT RowBinary`;
    return { body: createBinaryRows(spansPerBatch), send: createInserter(address, columns) };
  }
  const [format, compression] = kind.split('_') as ['protobuf' | 'json', 'gzip' | undefined];
  const headers = {
    authorization,
    'content-type': format === 'json' ? 'application/json' : 'application/x-protobuf',
    ...(compression === undefined ? {} : { 'content-encoding': compression }),
  };
  const url = `${serviceUrl}/v1/traces`;
  return {
    body: createRequestBody(format, spansPerBatch),
    send: async (bytes) => {
      const sent = compression === undefined ? bytes : await promisify(gzip)(bytes, { level: 1 });
      return await post(url, headers, sent);
    },
  };
}

function createInserter(address: Address, columnsAndFormat: string): Sender['send'] {
  const client = openBenchClient(address, 1);
  const query = `INSERT INTO call_parts ${columnsAndFormat}`;
  return async (bytes) => {
    const values = Readable.from([bytes], { objectMode: false });
    const settings = { async_insert: 0, insert_allow_materialized_columns: 1 } as const;
    const { stream } = await client.exec({ query, values, clickhouse_settings: settings });
    for await (const _ of stream);
    return undefined;
  };
}

function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => {
        const { statusCode } = response;
        resolve(statusCode === 200 ? undefined : `status ${String(statusCode)}`);
      });
    });
    outgoing.once('error', ({ message }) => resolve(message));
    outgoing.end(body);
  });
}
