import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { deleteCalls } from '../../ingest/delete-calls.ts';
import type { PartInserter } from '../../ingest/part-inserter.ts';
import type { Part, PartAnswer } from '../../ingest/part.ts';
import type { Reservation } from '../../memory-budget.ts';
import type { CountDropped } from '../metrics.ts';
import type { RequestInput } from '../open-request.ts';
import type { Handler, IngestHandler, OpenBatch } from '../route.ts';
import type { OpenApi, Schema } from '../validation/openapi.ts';
import { type Location, toIssue, type ValidationIssue } from '../validation/issues.ts';
import { isRecord, type Validator } from '../validation/validator.ts';
import { BatchItems, type Checked, type ItemCheck } from './batch-items.ts';

interface CallOptions {
  readonly clickhouse: ClickHouse;
  readonly partInserter: PartInserter;
  readonly openApi: OpenApi;
  readonly countDropped: CountDropped;
}

interface CallHandlers {
  readonly insertStart: IngestHandler<'CallStartReq'>;
  readonly insertEnd: IngestHandler<'CallEndReq'>;
  readonly openPartBatch: OpenBatch<'CallCreateBatchReq'>;
  readonly openCompleteCallBatch: OpenBatch<'CallsUpsertCompleteReq'>;
  readonly deleteCalls: Handler<'CallsDeleteReq'>;
}

/** Ingestion of calls, as single parts and in batches, and their deletion. */
export function callHandlers(options: CallOptions): CallHandlers {
  const { clickhouse, partInserter, openApi } = options;
  const checkPart = createPartCheck(openApi);
  const checkCompleteCall = createCompleteCallCheck(openApi);
  const maxParts = openApi.maxItemsOf('CallCreateBatchReq', 'batch');
  const maxCompleteCalls = openApi.maxItemsOf('CallsUpsertCompleteReq', 'batch');
  return {
    async insertStart({ body, payloads, reservation }) {
      const [ids] = await insertPart(partInserter, { ...toStart(body), payloads }, reservation);
      return ids as Schema<'CallStartRes'>;
    },
    async insertEnd({ body, payloads, reservation }) {
      await insertPart(partInserter, { ...toEnd(body), payloads }, reservation);
      return {};
    },
    openPartBatch: (input) =>
      openBatch(options, input, checkPart, maxParts, (items, answers) => ({
        res: items.alignAnswers(answers),
        ...items.reportDropped(),
      })),
    openCompleteCallBatch: (input) =>
      openBatch(options, input, checkCompleteCall, maxCompleteCalls, (items) =>
        items.reportDropped(),
      ),
    async deleteCalls({ body: { project_id, call_ids } }) {
      return { num_deleted: await deleteCalls(clickhouse, project_id, call_ids) };
    },
  };
}

const toStart = ({ start }: Schema<'CallStartReq'>): Part => ({ kind: 'start', call: start });
const toEnd = ({ end }: Schema<'CallEndReq'>): Part => ({ kind: 'end', call: end });

function insertPart(
  partInserter: PartInserter,
  part: Part,
  reservation: Reservation,
): Promise<readonly PartAnswer[]> {
  const encoder = partInserter.newEncoder();
  encoder.add(part);
  return partInserter.insert(encoder, reservation);
}

/** Valid items are inserted as one insert, after the whole body was read, and answered once they are inserted. */
function openBatch<Answer>(
  { partInserter, countDropped }: CallOptions,
  { key, requestId, pathProject, reservation }: RequestInput,
  check: ItemCheck,
  maxItems: number,
  toAnswer: (items: BatchItems, answers: readonly PartAnswer[]) => Answer,
): { items: BatchItems; insert: () => Promise<Answer> } {
  const newEncoder = () => partInserter.newEncoder();
  const items = new BatchItems({ check, newEncoder, key, pathProject, maxItems });
  const insert = async (): Promise<Answer> => {
    items.requireProjects();
    const answers = await partInserter.insert(items.encoder, reservation);
    countDropped(items, requestId, key);
    return toAnswer(items, answers);
  };
  return { items, insert };
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

/** Validates an item and converts it into a part. */
function checkItem<T>(
  validator: Validator<T>,
  item: unknown,
  at: Location,
  toPart: (value: T) => Part,
): Checked {
  const issues = validator.findIssues(item, at);
  return issues.length > 0 ? { issues } : { part: toPart(item as T) };
}
