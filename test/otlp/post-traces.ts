import { PbfReader } from 'pbf';
import { basicAuthorization, type TestService, testKey } from '../support/http/service.ts';
import type { Format } from '../support/otlp-traces.ts';

const contentTypes = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;

/** What an endpoint of OTLP answers: of a success the rejected spans, of an error code and message. */
export interface OtlpAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly retryAfter: string | null;
  readonly code?: number;
  readonly rejectedSpans?: number;
  readonly message: string;
}

export interface OtlpRequest {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The credentials; by default those of the key of all tests. */
  readonly authorization?: string | null;
}

/** Sends a body to an endpoint of traces. */
export async function postTraces(
  service: Pick<TestService, 'url'>,
  format: Format,
  body: Buffer,
  {
    path = '/otel/v1/traces',
    headers = {},
    authorization = basicAuthorization(testKey),
  }: OtlpRequest = {},
): Promise<OtlpAnswer> {
  const response = await fetch(service.url + path, {
    method: 'POST',
    headers: {
      'content-type': contentTypes[format],
      ...(authorization === null ? {} : { authorization }),
      ...headers,
    },
    body,
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const contentType = response.headers.get('content-type');
  return {
    status: response.status,
    contentType,
    retryAfter: response.headers.get('retry-after'),
    ...(contentType === contentTypes.protobuf
      ? readAnswer(bytes, response.ok)
      : parseAnswer(bytes.toString(), response.ok)),
  };
}

type AnswerBody = Pick<OtlpAnswer, 'code' | 'rejectedSpans' | 'message'>;

function parseAnswer(text: string, isOk: boolean): AnswerBody {
  const body = JSON.parse(text) as {
    readonly code?: number;
    readonly message?: string;
    readonly partialSuccess?: { readonly rejectedSpans: string; readonly errorMessage: string };
  };
  if (!isOk) return { code: body.code ?? NaN, message: body.message ?? '' };
  const { rejectedSpans = '0', errorMessage = '' } = body.partialSuccess ?? {};
  return { rejectedSpans: Number(rejectedSpans), message: errorMessage };
}

function readAnswer(bytes: Buffer, isOk: boolean): AnswerBody {
  const reader = new PbfReader(bytes);
  const pair = { number: 0, text: '' };
  const readPair = (field: number): void => {
    if (field === 1) pair.number = reader.readVarint();
    if (field === 2) pair.text = reader.readString();
  };
  if (!isOk) {
    reader.readFields(readPair, undefined);
    return { code: pair.number, message: pair.text };
  }
  reader.readFields((field) => {
    if (field === 1) reader.readMessage(readPair, undefined);
  }, undefined);
  return { rejectedSpans: pair.number, message: pair.text };
}
