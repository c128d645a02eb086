import {
  buildSchema,
  execute,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { ApiError } from '../api-errors.ts';
import type { Key } from '../auth/keys.ts';
import { requireProjects } from '../auth/require-key.ts';
import type { Handler } from '../route.ts';
import type { OpenApi, Schema } from '../validation/openapi.ts';

/**
 * Answers what `weave.init` of the Python SDK asks W&B's GraphQL API: whose key it is, and whether the project exists.
 * A project exists as soon as a call is sent, so every project that the key may access does. Any other query gets
 * GraphQL's own error.
 */
export function graphQlHandler(openApi: OpenApi): Handler<'GraphQlReq'> {
  const schema = buildSchema(schemaText);
  const rules = [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const projectIds = openApi.validatorOf('ProjectId');
  const rootValue = {
    viewer: (_arguments: object, key: Key) => toViewer(key),
    project: ({ entityName, name }: ProjectArguments, key: Key) => {
      requireProject(() => {
        requireProjects(key, [projectIds.parse(`${entityName}/${name}`, ['project'])]);
      });
      return { name };
    },
  };
  return async ({ body: { query, variables, operationName }, key }) => {
    try {
      const document = parse(query, { maxTokens });
      const errors = validate(schema, document, rules);
      if (errors.length > 0) return toErrors(errors);
      const variableValues = variables ?? {};
      const request = { schema, document, rootValue, contextValue: key, variableValues };
      const result = await execute({ ...request, operationName });
      const data = result.data ?? null;
      return result.errors === undefined ? { data } : { ...toErrors(result.errors), data };
    } catch (error) {
      if (error instanceof GraphQLError) return toErrors([error]);
      throw error;
    }
  };
}

/** What an operation may consist of; validation takes time that is quadratic in its fields. */
const maxTokens = 200;

interface ProjectArguments {
  readonly entityName: string;
  readonly name: string;
}

const schemaText = `
  type Query {
    viewer: User!
    project(name: String!, entityName: String!): Project
  }
  type User {
    username: String!
    defaultEntity: Entity
  }
  type Entity {
    name: String!
  }
  type Project {
    name: String!
  }
`;

/** A key whose projects belong to one entity has it as its default; the SDK then accepts a project without an entity. */
function toViewer({ name: username, projects }: Key): object {
  const [entity, ...others] = new Set(projects.map((pattern) => pattern.replace(/\/.*$/, '')));
  const isOnly = entity !== undefined && entity !== '*' && others.length === 0;
  return { username, defaultEntity: isOnly ? { name: entity } : null };
}

/** @throws {GraphQLError} instead of an ApiError; the SDK knows the code of the one for a project that is forbidden */
function requireProject(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const code = error.status === 403 ? 'PERMISSION_ERROR' : 'BAD_USER_INPUT';
    throw new GraphQLError(error.message, { extensions: { code } });
  }
}

function toErrors(errors: readonly GraphQLError[]): Schema<'GraphQlRes'> {
  return { errors: errors.map((error) => ({ ...error.toJSON() })) };
}
