import type { Response } from 'express';
import type { Key } from './auth/keys.ts';

declare module 'express-serve-static-core' {
  // Express types `response.locals` with this interface.
  interface Locals {
    requestId: string;
    /** Whose request it is; absent until it is authenticated. */
    key?: Key;
    /** What went wrong, for the log alone. */
    cause?: unknown;
  }
}

/** A signal that fires when the client hangs up before it has its answer. */
export function disconnectSignal(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  if (response.destroyed) controller.abort();
  return controller.signal;
}

/** Whether the client hung up before it had its answer. */
export function isDisconnected(response: Response): boolean {
  return !response.writableFinished && (response.destroyed || response.socket?.destroyed !== false);
}
