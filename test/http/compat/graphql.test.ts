import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixture } from '../../support/fixtures.ts';
import { openService, type TestService } from '../../support/http/service.ts';

// The three operations are those of the Python SDK, word for word; test/sdk/python-sdk.test.ts runs the SDK itself.
const viewerQuery = `
  query DefaultEntity {
    viewer {
      username
      defaultEntity {
        name
      }
    }
  }`;
const projectQuery = `
  query Project($name: String!, $entityName: String!) {
    project(name: $name, entityName: $entityName) {
      name
    }
  }`;
const upsertMutation = `
  mutation UpsertModel($name: String!, $id: String, $entity: String!, $description: String, $repo: String)  {
    upsertModel(input: { id: $id, name: $name, entityName: $entity, description: $description, repo: $repo }) {
      model {
        name
        description
      }
    }
  }`;

/** Project patterns by the name of the key, which is the key as well. */
const keys = {
  everything: ['*'],
  team: ['team/one', 'team/two'],
  wholeTeam: ['team/*'],
  'two-teams': ['team/one', 'other/*'],
  nothing: [],
};

const service = fixture(openServiceWithKeys);

async function openServiceWithKeys(): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-graphql-'));
  const file = join(directory, 'keys.json');
  const entries = Object.entries(keys).map(([name, projects]) => {
    const sha256 = createHash('sha256').update(name).digest('hex');
    return { name, sha256, projects, rights: ['read'] };
  });
  await writeFile(file, JSON.stringify({ keys: entries }));
  const opened = await openService({ API_KEYS_FILE: file });
  await rm(directory, { recursive: true });
  return opened;
}

interface GraphQlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code: string };
  }[];
}

async function send(key: keyof typeof keys, body: object): Promise<GraphQlAnswer> {
  const answer = await service.send('/graphql', { key, body });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'application/json; charset=utf-8',
  ]);
  return answer.json() as GraphQlAnswer;
}

describe('viewer', () => {
  test.each([
    ['everything', null],
    ['team', 'team'],
    ['wholeTeam', 'team'],
    ['two-teams', null],
    ['nothing', null],
  ] as const)('is the key %s, whose default entity is the only one: %s', async (key, entity) => {
    const defaultEntity = entity === null ? null : { name: entity };
    expect(await send(key, { query: viewerQuery })).toEqual({
      data: { viewer: { username: key, defaultEntity } },
    });
  });
});

describe('project', () => {
  test.each([
    ['everything', 'any', 'project'],
    ['team', 'team', 'two'],
    ['wholeTeam', 'team', 'a new one'],
  ] as const)('exists for the key %s: %s/%s', async (key, entityName, name) => {
    expect(await send(key, { query: projectQuery, variables: { entityName, name } })).toEqual({
      data: { project: { name } },
    });
  });

  test.each([
    ['team', 'team', 'three'],
    ['wholeTeam', 'teams', 'one'],
    ['nothing', 'team', 'one'],
  ] as const)('is forbidden for the key %s: %s/%s', async (key, entityName, name) => {
    const answer = await send(key, { query: projectQuery, variables: { entityName, name } });
    expect(answer).toMatchObject({
      data: { project: null },
      errors: [
        {
          message: `This key may not access the project "${entityName}/${name}".`,
          extensions: { code: 'PERMISSION_ERROR' },
        },
      ],
    });
  });

  test('is refused when no call of it could be stored, because its id is too long', async () => {
    const variables = { entityName: 'team', name: 'x'.repeat(252) };
    const answer = await send('everything', { query: projectQuery, variables });
    expect(answer).toMatchObject({
      data: { project: null },
      errors: [
        {
          message: 'String should have at most 256 characters',
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ],
    });
  });
});

test('of several operations the named one is answered', async () => {
  const query = `${viewerQuery} ${projectQuery}`;
  const variables = { entityName: 'team', name: 'one' };
  expect(await send('team', { query, variables, operationName: 'Project' })).toEqual({
    data: { project: { name: 'one' } },
  });
});

test.each([
  [
    'a mutation',
    { query: upsertMutation, variables: { name: 'one', entity: 'team' } },
    'Schema is not configured to execute mutation operation.',
  ],
  [
    'another field',
    { query: '{ viewer { email } }' },
    'Cannot query field "email" on type "User".',
  ],
  ['introspection', { query: '{ __schema { types { name } } }' }, 'introspection'],
  ['no GraphQL', { query: 'viewer' }, 'Syntax Error: Unexpected Name "viewer".'],
  ['a missing variable', { query: projectQuery }, 'Variable "$name" of required type "String!"'],
  [
    'a variable of another type',
    { query: projectQuery, variables: { name: 1, entityName: 'team' } },
    'String cannot represent a non string value: 1',
  ],
  [
    'an operation that is not there',
    { query: viewerQuery, operationName: 'Viewer' },
    'Unknown operation named "Viewer".',
  ],
  [
    'more tokens than the limit',
    { query: `{ ${'viewer { username } '.repeat(60)} }` },
    '200 tokens',
  ],
])('%s is answered with an error and without data', async (_what, body, message) => {
  const answer = await send('everything', body);
  expect(answer.errors?.map((error) => error.message).join('\n')).toContain(message);
  expect(answer.data ?? null).toBeNull();
});

test('a body that is no GraphQL request is answered with validation issues', async () => {
  const answer = await service.send('/graphql', { key: 'team', body: { variables: {} } });
  expect(answer.status).toBe(422);
  expect(answer.json()).toEqual({
    detail: [{ loc: ['body', 'query'], msg: 'Field required', type: 'missing' }],
  });
});

test('a wrong key is answered with 401', async () => {
  const answer = await service.send('/graphql', { key: 'no key', body: { query: viewerQuery } });
  expect(answer.status).toBe(401);
});
