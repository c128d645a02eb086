import type { CallsUsage } from '../../usage/calls-usage.ts';
import type { Handler } from '../route.ts';
import { JsonText } from '../send-answer.ts';

/** The handler of POST /calls/usage, or of POST /usage/explain. */
export function usageHandler(
  callsUsage: CallsUsage,
  is_explained = false,
): Handler<'CallsUsageReq'> {
  return async ({ body, setHeader, answerReservation, signal }) => {
    // The contract has no upper bound for the limit; nobody has more calls than this.
    const limit = Math.min(body.limit, Number.MAX_SAFE_INTEGER);
    const reportUnknown = (callIds: number): void => {
      if (callIds > 0) setHeader('x-unknown-calls', String(callIds));
    };
    const context = { reservation: answerReservation, reportUnknown, signal };
    return new JsonText(await callsUsage.answer({ ...body, limit, is_explained }, context));
  };
}
