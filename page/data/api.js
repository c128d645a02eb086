/**
 * @typedef {object} ApiRequest
 * @property {'GET' | 'POST'} method
 * @property {string} path such as `/calls/stats`
 * @property {unknown} [body] sent as JSON
 */

/** An answer other than 2xx, or none at all. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when there is no answer
   * @param {string} detail
   * @param {number} retryAfterS seconds after which the service asks to be asked again; 0 when it does not say
   */
  constructor(status, detail, retryAfterS = 0) {
    super(detail);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same request may succeed later. */
  get isTemporary() {
    return [0, 429, 503, 504].includes(this.status);
  }
}

/** @returns {URL} of the service, without the credentials that the address bar may have, which `fetch` refuses */
export function serviceUrl(path = '') {
  return new URL(`.${path}`, location.origin + location.pathname);
}

/**
 * The browser adds the key that its dialog asked for.
 * @param {ApiRequest} request
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>} the body of the answer
 * @throws {ApiError}
 */
export async function sendText({ method, path, body }, signal) {
  const response = await fetch(serviceUrl(path), {
    method,
    credentials: 'same-origin',
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch((/** @type {unknown} */ error) => {
    signal?.throwIfAborted();
    throw new ApiError(0, `The service does not answer (${String(error)}).`);
  });
  const text = await response.text();
  if (response.ok) return text;
  const retryAfterS = Number(response.headers.get('retry-after') ?? 0);
  throw new ApiError(response.status, toDetail(text), retryAfterS);
}

/**
 * @param {ApiRequest} request
 * @param {AbortSignal} [signal]
 * @returns {Promise<unknown>}
 * @throws {ApiError}
 */
export async function sendJson(request, signal) {
  /** @type {unknown} */
  const answer = JSON.parse(await sendText(request, signal));
  return answer;
}

/**
 * The sentence of an error, or those of all validation issues.
 * @param {string} text
 */
function toDetail(text) {
  try {
    /** @type {unknown} */
    const body = JSON.parse(text);
    const { detail } = /** @type {{ detail: unknown }} */ (body);
    if (typeof detail === 'string') return detail;
    const issues = /** @type {{ loc: string[], msg: string }[]} */ (detail);
    return issues.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; ');
  } catch {
    return text.slice(0, 300);
  }
}
