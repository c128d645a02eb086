import type { CallList } from '../../usage/lists/call-list.ts';
import type { Handler } from '../route.ts';
import { JsonLines } from '../send-answer.ts';

interface ListHandlers {
  readonly listCalls: Handler<'CallsQueryReq'>;
  readonly countCalls: Handler<'CallsQueryStatsReq'>;
}

/** Lists of calls. */
export function listHandlers(callList: CallList): ListHandlers {
  return {
    async listCalls({ body, answerReservation: reservation, signal }) {
      return new JsonLines(await callList.open(body, { reservation, signal }));
    },
    async countCalls({ body, answerReservation: reservation, signal }) {
      return await callList.count(body, { reservation, signal });
    },
  };
}
