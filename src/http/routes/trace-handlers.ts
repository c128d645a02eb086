import type { TraceList } from '../../usage/traces/trace-list.ts';
import type { Handler } from '../route.ts';
import { JsonText } from '../send-answer.ts';

/** Lists of traces. */
export function queryTracesHandler(traceList: TraceList): Handler<'TracesQueryReq'> {
  return async ({ body, answerReservation: reservation, signal }) =>
    new JsonText(await traceList.answer(body, { reservation, signal }));
}
