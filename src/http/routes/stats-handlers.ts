import type { CallStats } from '../../usage/stats/call-stats.ts';
import type { Handler } from '../route.ts';
import { JsonText } from '../send-answer.ts';

interface StatsHandlers {
  readonly answer: Handler<'CallStatsReq'>;
  readonly previewCosts: Handler<'CostPreviewReq'>;
}

/** Statistics of a project, and what they would be with other prices. */
export function statsHandlers(callStats: CallStats): StatsHandlers {
  return {
    async answer({ body, answerReservation: reservation, signal }) {
      return new JsonText(await callStats.answer(body, { reservation, signal }));
    },
    async previewCosts({ body, answerReservation: reservation, signal }) {
      return new JsonText(await callStats.previewCosts(body, { reservation, signal }));
    },
  };
}
