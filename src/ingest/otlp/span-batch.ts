import type { PartEncoder } from '../encode-parts.ts';
import { attributeNames } from './attribute-names.ts';
import { readText } from './read-usage.ts';
import type { Attributes, ReceivedSpan, TraceHandler } from './received-span.ts';
import { type Refusal, type Scope, toScope, toSpan } from './to-span.ts';

export interface SpanBatchOptions {
  readonly encoder: PartEncoder;
  /** The project of resources that name none; undefined where the request does not name one either. */
  readonly defaultProject: string | undefined;
  /** Whether the key may write to a project. */
  readonly coversProject: (projectId: string) => boolean;
  readonly maxSpans: number;
}

/** A request has more spans than allowed. */
export class TooManySpansError extends Error {
  override readonly name = 'TooManySpansError';
}

/** The spans of a request: as each of them arrives it is written as a row, or rejected. */
export class SpanBatch implements TraceHandler {
  readonly encoder: PartEncoder;
  readonly #options: SpanBatchOptions;
  /** How many spans were rejected, by the type of their reason. */
  readonly countByType = new Map<RejectionType, number>();
  /** How many spans there are, rejected ones included. */
  items = 0;
  /** The first reason of each type. */
  readonly #reasons = new Map<RejectionType, string>();
  #resource: Attributes = new Map();
  #scope: Scope = toScope('');
  #project: Project = { rejection: noProject };

  constructor(options: SpanBatchOptions) {
    this.#options = options;
    this.encoder = options.encoder;
  }

  get rejected(): number {
    return this.items - this.encoder.rows;
  }

  /** Says how many spans were rejected and why; empty if none was. */
  get rejectionMessage(): string {
    return [...this.#reasons]
      .map(([type, reason]) => `${toSpans(this.countByType.get(type) ?? 0)} rejected: ${reason}.`)
      .join(' ');
  }

  startResource(attributes: Attributes): void {
    this.#resource = attributes;
    this.#project = this.#toProject(attributes);
  }

  startScope(name: string): void {
    if (name !== this.#scope.name) this.#scope = toScope(name);
  }

  span(received: ReceivedSpan): void {
    const { maxSpans } = this.#options;
    this.items += 1;
    if (this.items > maxSpans) {
      throw new TooManySpansError(`The request has more than ${maxSpans} spans.`);
    }
    const { projectId, rejection } = this.#project;
    const context = { projectId: projectId ?? '', resource: this.#resource, scope: this.#scope };
    const span = toSpan(received, context);
    const refusal = 'reason' in span ? span : rejection;
    if (refusal !== undefined) this.#reject(refusal);
    else if (!('reason' in span)) this.encoder.addSpan(span);
  }

  #reject({ type, reason }: Rejection): void {
    this.countByType.set(type, (this.countByType.get(type) ?? 0) + 1);
    if (!this.#reasons.has(type)) this.#reasons.set(type, reason);
  }

  #toProject(attributes: Attributes): Project {
    const entity = readText(attributes, attributeNames.entity);
    const project = readText(attributes, attributeNames.project);
    const { defaultProject, coversProject } = this.#options;
    const projectId =
      entity === undefined || project === undefined ? defaultProject : `${entity}/${project}`;
    if (projectId === undefined) return { rejection: noProject };
    if (projectId.length > maxProjectLength) return { rejection: projectTooLong };
    if (coversProject(projectId)) return { projectId, rejection: undefined };
    const reason = `this key may not access the project ${JSON.stringify(projectId)}`;
    return { rejection: { type: 'forbidden', reason } };
  }
}

type RejectionType = Refusal['type'] | 'forbidden';

interface Rejection {
  readonly type: RejectionType;
  readonly reason: string;
}

/** The project of a resource, or why its spans are rejected. */
type Project =
  | { readonly projectId: string; readonly rejection: undefined }
  | { readonly projectId?: undefined; readonly rejection: Rejection };

/** As openapi/service.openapi.yaml has it. */
const maxProjectLength = 256;

const noProject: Rejection = {
  type: 'missing',
  reason:
    'they have no project: set the resource attributes wandb.entity and wandb.project, or the header project_id or x-project-id to entity/project',
};

const projectTooLong: Rejection = {
  type: 'string_too_long',
  reason: `their project has more than ${maxProjectLength} characters`,
};

function toSpans(count: number): string {
  return count === 1 ? '1 span was' : `${count} spans were`;
}
