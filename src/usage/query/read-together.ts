/** A read that ends when its signal aborts. */
type AbortableRead<Result> = (signal: AbortSignal) => Promise<Result>;

/**
 * Runs reads at the same time. If one fails, the others are aborted; when this rejects, none of them is running, so none
 * reserves memory any more.
 * @param signal aborts all of them
 * @throws what the first one that fails rejects with
 */
export async function readTogether<Results extends readonly unknown[]>(
  signal: AbortSignal,
  reads: { readonly [Index in keyof Results]: AbortableRead<Results[Index]> },
): Promise<Results> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  const running = (reads as readonly AbortableRead<unknown>[]).map((read) =>
    read(controller.signal),
  );
  try {
    return (await Promise.all(running)) as unknown as Results;
  } catch (error) {
    controller.abort(error);
    await Promise.allSettled(running);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
