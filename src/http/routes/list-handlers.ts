import type { CallList } from '../../usage/lists/call-list.ts';
import type { TraceUsage } from '../../usage/trees/trace-usage.ts';
import type { Handler } from '../route.ts';
import { JsonLines, JsonText } from '../send-answer.ts';

interface ListHandlers {
  readonly listCalls: Handler<'CallsQueryReq'>;
  readonly countCalls: Handler<'CallsQueryStatsReq'>;
  readonly readCall: Handler<'CallReadReq'>;
  readonly answerTrace: Handler<'TraceUsageReq'>;
}

/** Lists of calls, and the usage of all calls of a trace. */
export function listHandlers(callList: CallList, traceUsage: TraceUsage): ListHandlers {
  return {
    async listCalls({ body, answerReservation: reservation, signal }) {
      return new JsonLines(await callList.open(body, { reservation, signal }));
    },
    async countCalls({ body, answerReservation: reservation, signal }) {
      return await callList.count(body, { reservation, signal });
    },
    async readCall({ body, answerReservation: reservation, signal }) {
      const { id, ...request } = body;
      const list = { ...request, filter: { call_ids: [id] }, limit: 1 };
      let line = '';
      for await (const piece of await callList.open(list, { reservation, signal })) line += piece;
      return new JsonText([`{"call":${line.trim() || 'null'}}`].values());
    },
    async answerTrace({ body, answerReservation: reservation, signal }) {
      return new JsonText(await traceUsage.answer(body, { reservation, signal }));
    },
  };
}
