/** A queue of the service is full; the same request may succeed later. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
  readonly queue: Queue;

  constructor(queue: Queue, message: string) {
    super(message);
    this.queue = queue;
  }
}

/** An item was queued for too long; the same request may succeed later. */
export class QueueWaitError extends Error {
  override readonly name = 'QueueWaitError';
  readonly queue: Queue;

  constructor(queue: Queue, message: string) {
    super(message);
    this.queue = queue;
  }
}

/** As errors name it. */
export type Queue = 'inserts' | 'usage requests' | 'stats requests' | 'list requests';
