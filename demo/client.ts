/** The demo cannot go on; the message is for the person in front of it. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

/** What any client of the service has: its address and a key. */
export interface Access {
  readonly url: string;
  readonly key: string;
  readonly signal: AbortSignal;
}

/**
 * Sends JSON and returns the text of the answer.
 * @throws {DemoError} naming the request, for any answer but a 2xx and for none at all
 */
export async function post(access: Access, path: string, body: unknown): Promise<string> {
  const request = `POST ${path}`;
  const { response, text } = await send(access, path, body).catch((error: unknown) => {
    access.signal.throwIfAborted();
    throw new DemoError(`${request} got no answer: ${toReason(error)}`, { cause: error });
  });
  if (response.ok) return text;
  const requestId = response.headers.get('x-request-id') ?? 'none';
  throw new DemoError(
    `${request} was answered with ${String(response.status)} ${response.statusText} ` +
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

/** `fetch` says only "fetch failed"; what happened is in its cause. */
function toReason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
