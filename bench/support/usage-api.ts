/** The API key of every service that the bench starts. */
export const apiKey = 'bench';

export interface ApiResponse {
  readonly status: number;
  readonly text: string;
}

/** Sends `POST /calls/usage`, with costs unless `includeCosts` is false. */
export async function requestUsage(
  serviceUrl: string,
  projectId: string,
  callIds: readonly string[],
  options: { readonly includeCosts?: boolean; readonly signal?: AbortSignal } = {},
): Promise<ApiResponse> {
  const { includeCosts = true, signal } = options;
  const body = {
    project_id: projectId,
    call_ids: callIds,
    include_costs: includeCosts,
    limit: 2_000_000,
  };
  return await post(`${serviceUrl}/calls/usage`, body, signal);
}

/** Sends JSON with the bench's API key. */
export async function post(url: string, body: object, signal?: AbortSignal): Promise<ApiResponse> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.status, text: await response.text() };
}

/** The header with which the bench authenticates. */
export const authorization = `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`;

/** @throws {Error} for a response that is not 200 */
export function refuseFailure({ status, text }: ApiResponse): void {
  if (status !== 200) throw new Error(`the service answers ${status}: ${text.slice(0, 500)}`);
}
