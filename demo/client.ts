/** The demo cannot continue; the message is shown to the user without a stack. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

/** How to reach the service. */
export interface Access {
  readonly url: string;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** `LLMAggregatedUsage` of the contract, with every field set, as the service returns it. */
export interface ModelUsage {
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_total_cost: number | null;
  readonly completion_tokens_total_cost: number | null;
}

/** Usage of one call and its descendants, by model. */
type CallUsage = Readonly<Record<string, ModelUsage>>;

/** `CallsUsageRes` of the contract. */
export interface Answer {
  readonly call_usage: Readonly<Record<string, CallUsage>>;
  readonly unfinished_call_ids: readonly string[];
}

/** A usage request and its answer, as text and parsed. */
export interface UsageExchange {
  readonly requestText: string;
  readonly answerText: string;
  readonly answer: Answer;
  readonly durationMs: number;
}

/** Sends `POST /calls/usage` for these calls, with costs. */
export async function requestUsage(
  access: Access,
  projectId: string,
  callIds: readonly string[],
): Promise<UsageExchange> {
  const body = { project_id: projectId, call_ids: callIds, include_costs: true };
  const sentAt = performance.now();
  const answerText = await post(access, '/calls/usage', body);
  return {
    requestText: JSON.stringify(body),
    answerText,
    answer: JSON.parse(answerText) as Answer,
    durationMs: Math.round(performance.now() - sentAt),
  };
}

/** @throws {DemoError} when the answer lacks a requested call */
export function findUsage(answer: Answer, callId: string): CallUsage {
  const usage = answer.call_usage[callId];
  if (usage === undefined) throw new DemoError(`The answer lacks call ${callId}.`);
  return usage;
}

/**
 * Sends JSON and returns the response body as text.
 * @throws {DemoError} naming the request, when the status is not 2xx or there is no response
 */
export async function post(access: Access, path: string, body: unknown): Promise<string> {
  const request = `POST ${path}`;
  const { response, text } = await send(access, path, body).catch((error: unknown) => {
    access.signal.throwIfAborted();
    throw new DemoError(`${request} failed without a response: ${toReason(error)}`, {
      cause: error,
    });
  });
  if (response.ok) return text;
  const requestId = response.headers.get('x-request-id') ?? 'none';
  throw new DemoError(
    `${request} returned ${String(response.status)} ${response.statusText} ` +
      `(x-request-id ${requestId}):\n${text}`,
  );
}

async function send(
  access: Access,
  path: string,
  body: unknown,
): Promise<{ response: Response; text: string }> {
  const response = await fetch(new URL(path, access.url), {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`api:${access.key}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
    signal: access.signal,
  });
  return { response, text: await response.text() };
}

/** The message of `fetch` is always "fetch failed"; the reason is in its cause. */
function toReason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
