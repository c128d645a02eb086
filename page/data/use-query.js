import { useCallback, useContext, useEffect, useState, createContext } from '../preact.js';
import { ApiError, sendJson } from './api.js';

/** @import { ApiRequest } from './api.js' */

/** Grows when everything is to be read again. */
export const Refresh = createContext(0);

const maxWaitS = 30;

/**
 * @template T
 * @typedef {object} Query
 * @property {T | undefined} data of this request, or while it is read, of the one before
 * @property {boolean} isCurrent whether `data` is of this request
 * @property {ApiError | undefined} error of the last attempt, also while the same is requested again
 * @property {boolean} isLoading
 * @property {number} retryAt milliseconds since 1970 when the request is sent again by itself; 0 when it is not
 * @property {() => void} retry
 */

/**
 * Reads what a request answers, and again when the request changes. After errors that pass it tries again by itself, at
 * growing intervals, or when the service asks for it.
 * @template T
 * @param {ApiRequest | undefined} request nothing is read without one
 * @returns {Query<T>}
 */
export function useQuery(request) {
  const refresh = useContext(Refresh);
  const key = request === undefined ? '' : JSON.stringify(request);
  const [state, setState] = useState(/** @type {State<T>} */ (idle));
  const [attempt, setAttempt] = useState({ key, number: 0 });
  const number = attempt.key === key ? attempt.number : 0;
  const retry = useCallback(() => setAttempt({ key, number: number + 1 }), [key, number]);

  useEffect(() => {
    if (key === '') {
      setState(idle);
      return;
    }
    const abort = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    setState((before) => {
      const error = before.failedKey === key ? before.error : undefined;
      return { ...before, error, isLoading: true, retryAt: 0 };
    });
    sendJson(/** @type {ApiRequest} */ (request), abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ ...idle, data: /** @type {T} */ (data), key });
      },
      (/** @type {unknown} */ cause) => {
        if (abort.signal.aborted) return;
        const error = cause instanceof ApiError ? cause : new ApiError(500, String(cause));
        const waitMs = error.isTemporary ? toWaitMs(error, number) : 0;
        if (waitMs > 0) timer = setTimeout(retry, waitMs);
        const retryAt = waitMs > 0 ? Date.now() + waitMs : 0;
        setState((before) => ({ ...before, isLoading: false, error, failedKey: key, retryAt }));
      },
    );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, number, refresh]);
  const { key: keyOfData, failedKey: _, ...shown } = state;
  return { ...shown, isCurrent: keyOfData === key && key !== '', retry };
}

/**
 * @template T
 * @typedef {Omit<Query<T>, 'retry' | 'isCurrent'> & { key: string, failedKey: string }} State `key` is that of the request
 *   of `data`, `failedKey` that of the request of `error`
 */
const idle = {
  data: undefined,
  key: '',
  error: undefined,
  failedKey: '',
  isLoading: false,
  retryAt: 0,
};

/**
 * @param {ApiError} error
 * @param {number} attempts
 */
function toWaitMs({ retryAfterS }, attempts) {
  return 1_000 * Math.min(maxWaitS, Math.max(retryAfterS, 2 ** (attempts + 1)));
}
