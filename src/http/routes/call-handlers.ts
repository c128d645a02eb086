import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { deleteCalls } from '../../ingest/delete-calls.ts';
import type { PartInserter } from '../../ingest/part-inserter.ts';
import type { Part, PartAnswer } from '../../ingest/part.ts';
import { requireProjects } from '../auth/require-key.ts';
import type { CountDropped } from '../metrics.ts';
import type { Envelope, OpenApi, Schema } from '../validation/openapi.ts';
import { type Location, toIssue, type ValidationIssue } from '../validation/issues.ts';
import { isRecord } from '../validation/validator.ts';
import {
  alignAnswers,
  checkItem,
  type Checked,
  partsOf,
  reportDropped,
  withoutParts,
} from './batch-items.ts';
import {
  type BatchHandler,
  type IngestHandler,
  type IngestInput,
  pathProjectIssues,
} from '../route.ts';

interface CallOptions {
  readonly clickhouse: ClickHouse;
  readonly partInserter: PartInserter;
  readonly openApi: OpenApi;
  readonly countDropped: CountDropped;
}

interface CallHandlers {
  readonly insertStart: IngestHandler<'CallStartReq'>;
  readonly insertEnd: IngestHandler<'CallEndReq'>;
  readonly insertParts: BatchHandler<'CallCreateBatchReq'>;
  readonly insertCompleteCalls: BatchHandler<'CallsUpsertCompleteReq'>;
  readonly deleteCalls: IngestHandler<'CallsDeleteReq'>;
}

/** Ingestion of calls, as single parts and in batches, and their deletion. */
export function callHandlers(options: CallOptions): CallHandlers {
  const { clickhouse, partInserter, openApi } = options;
  const checkPart = createPartCheck(openApi);
  const checkCompleteCall = createCompleteCallCheck(openApi);
  return {
    async insertStart({ body, reservation }) {
      const [ids] = await partInserter.insert([toStart(body)], reservation);
      return ids as Schema<'CallStartRes'>;
    },
    async insertEnd({ body, reservation }) {
      await partInserter.insert([toEnd(body)], reservation);
      return {};
    },
    insertParts: (input) =>
      insertItems(options, input, checkPart, (items, answers) => ({
        res: alignAnswers(items, answers),
        ...reportDropped(items),
      })),
    insertCompleteCalls: (input) => insertItems(options, input, checkCompleteCall, reportDropped),
    async deleteCalls({ body: { project_id, call_ids } }) {
      return { num_deleted: await deleteCalls(clickhouse, project_id, call_ids) };
    },
  };
}

const toStart = ({ start }: Schema<'CallStartReq'>): Part => ({ kind: 'start', call: start });
const toEnd = ({ end }: Schema<'CallEndReq'>): Part => ({ kind: 'end', call: end });

type ItemCheck = (item: unknown, at: Location) => Checked<Part>;

/**
 * Inserts the valid items of a batch as one insert and answers once they are inserted.
 *
 * As objects, a batch takes several times the memory of its bytes. So this function is not async, and its callback uses
 * nothing that refers to the body: the body can be collected while the insert is waited for.
 */
function insertItems<Answer>(
  { partInserter, countDropped }: CallOptions,
  input: IngestInput<Envelope>,
  check: ItemCheck,
  toAnswer: (items: readonly Checked<undefined>[], answers: readonly PartAnswer[]) => Answer,
): Promise<Answer> {
  const { key, requestId } = input;
  const checked = checkItems(input, check);
  const parts = partsOf(checked);
  requireProjects(key, parts.map(projectOf));
  const items = withoutParts(checked);
  return partInserter.insert(parts, input.reservation).then((answers) => {
    countDropped(items, requestId, key);
    return toAnswer(items, answers);
  });
}

function checkItems(input: IngestInput<Envelope>, check: ItemCheck): Checked<Part>[] {
  const { body, pathProject } = input;
  return body.batch.map((item, index) => {
    const at = ['body', 'batch', index];
    const checked = check(item, at);
    if ('issues' in checked) return checked;
    const project = projectOf(checked.part);
    const issues = pathProjectIssues(pathProject, project, [...at, 'project_id']);
    return issues.length > 0 ? { issues } : checked;
  });
}

function createPartCheck(openApi: OpenApi): ItemCheck {
  const starts = openApi.validatorOf('CallBatchStartMode');
  const ends = openApi.validatorOf('CallBatchEndMode');
  return (item, at) => {
    const mode = isRecord(item) ? item['mode'] : undefined;
    if (mode === 'start') return checkItem(starts, item, at, ({ req }) => toStart(req));
    if (mode === 'end') return checkItem(ends, item, at, ({ req }) => toEnd(req));
    return { issues: [modeIssue(item, at)] };
  };
}

function createCompleteCallCheck(openApi: OpenApi): ItemCheck {
  const calls = openApi.validatorOf('CompletedCallSchemaForInsert');
  return (item, at) => checkItem(calls, item, at, (call) => ({ kind: 'whole', call }));
}

function modeIssue(item: unknown, at: Location): ValidationIssue {
  if (!isRecord(item)) return toIssue('model_attributes_type', at);
  const loc = [...at, 'mode'];
  return item['mode'] === undefined
    ? toIssue('missing', loc)
    : toIssue('literal_error', loc, ['start', 'end']);
}

function projectOf(part: Part): string {
  return part.call.project_id;
}
