import type { ProjectList } from '../../usage/projects/project-list.ts';
import { openRequest } from '../open-request.ts';
import type { Route } from '../route.ts';
import { JsonText, sendAnswer } from '../send-answer.ts';
import { queryParameters } from '../validation/query-parameters.ts';

/** GET /projects: the projects that the key may read. */
export function projectsRoute(projectList: ProjectList): Route {
  const toRequestHandler: Route['toRequestHandler'] = ({ openApi, memoryBudget }) => {
    const validator = openApi.validatorOf('ProjectsQuery');
    return async (request, response) => {
      const input = openRequest(request, response, 'read', 'query', memoryBudget);
      const { key, answerReservation: reservation, signal } = input;
      const { limit, ...parameters } = queryParameters(request.url);
      const isNumber = typeof limit === 'string' && /^-?\d{1,15}$/.test(limit);
      const number = isNumber ? Number(limit) : limit;
      const given = limit === undefined ? parameters : { ...parameters, limit: number };
      const query = validator.parse(given, ['query']);
      const context = { readable: key.projects, reservation, signal };
      const pieces = await projectList.answer(query, context);
      await sendAnswer(response, new JsonText(pieces), reservation);
    };
  };
  return { method: 'get', path: '/projects', scope: 'read', toRequestHandler };
}
