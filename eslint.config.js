import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What reaches ClickHouse past src/clickhouse. */
const clickHousePackages = {
  regex: '^(@clickhouse/|chdb$|chdb/|ffi-rs$)',
  message: 'Only src/clickhouse and test/support speak to ClickHouse.',
};

/** What composes the layers. */
const composition = ['main', 'service', 'open-domain'];

const domain = ['ingest', 'usage', 'rollups', 'prices'];

/** @param {string} room */
const others = (room) => domain.filter((each) => each !== room);

/**
 * Data walks one way: http → ingest | usage | prices → clickhouse. For each room of src the rooms that its files must
 * not import; the order of the entries is the order of the layers.
 */
const forbiddenRooms = {
  slices: [...composition, 'http', ...domain, 'metrics', 'clickhouse'],
  queues: [...composition, 'http', ...domain, 'metrics'],
  http: composition,
  ingest: [...composition, 'http', ...others('ingest'), 'metrics'],
  usage: [...composition, 'http', 'metrics'],
  rollups: [...composition, 'http', ...others('rollups'), 'metrics'],
  prices: [...composition, 'http', ...others('prices'), 'metrics'],
  clickhouse: [...composition, 'http', ...domain, 'metrics'],
  metrics: [...composition, 'http', 'ingest', 'usage', 'prices'],
};

/** What the other files directly in src must not import. */
const forbiddenToRootFiles = [...composition, 'http', ...domain, 'metrics'];

/** What a room of src/http must not import from its siblings. */
const forbiddenHttpRooms = {
  connections: ['routes', 'compat', 'otlp', 'auth', 'body', 'validation'],
  auth: ['routes', 'compat', 'otlp', 'validation'],
  body: ['routes', 'compat', 'otlp', 'auth', 'connections'],
  validation: ['routes', 'compat', 'otlp', 'auth', 'connections'],
  compat: ['routes', 'otlp'],
  routes: ['compat', 'otlp'],
  otlp: ['routes', 'compat', 'connections', 'validation'],
};

/** What composes the rooms of src/clickhouse. */
const clickHouseComposition = ['start-clickhouse', 'supervised-clickhouse', 'open-nodes'];

/** What a room of src/clickhouse must not import from its siblings: cluster | embedded → schema → damage → client. */
const forbiddenClickHouseRooms = {
  client: ['damage', 'schema', 'embedded', 'cluster', ...clickHouseComposition],
  damage: ['schema', 'embedded', 'cluster', ...clickHouseComposition],
  schema: ['embedded', 'cluster', ...clickHouseComposition],
  embedded: ['cluster', ...clickHouseComposition],
  cluster: ['embedded', ...clickHouseComposition],
};

/**
 * @param {readonly string[]} rooms folders or files that may not be imported
 * @param {string} start how the path to one of them starts; by default it leads to a folder above
 */
function noImportFrom(rooms, start = '(\\.\\./)+(src/)?') {
  return {
    regex: `^${start}(${rooms.join('|')})(/|\\.ts$)`,
    message: 'Data walks one way: http → ingest | usage | prices → clickhouse.',
  };
}

const noProgram = {
  regex: '^(\\.\\./)+(cli|demo|bench|test)/',
  message: 'The service knows nothing of its command line tools, demo, bench and tests.',
};

/**
 * @param {string} folder
 * @param {{ regex: string, message: string }[]} patterns
 * @returns {import('eslint').Linter.Config}
 */
function restrictImports(folder, ...patterns) {
  return {
    files: [`${folder}/**`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

/**
 * The rules of every room, and of the rooms within one.
 * @returns {import('eslint').Linter.Config[]}
 */
function layers() {
  const http = noImportFrom(forbiddenRooms.http);
  const clickhouse = noImportFrom(forbiddenRooms.clickhouse);
  return [
    ...Object.entries(forbiddenRooms).map(([room, rooms]) =>
      restrictImports(
        `src/${room}`,
        noProgram,
        noImportFrom(rooms),
        ...(room === 'clickhouse' ? [] : [clickHousePackages]),
      ),
    ),
    ...Object.entries(forbiddenHttpRooms).map(([room, rooms]) =>
      restrictImports(
        `src/http/${room}`,
        ...[noProgram, clickHousePackages, http, noImportFrom(rooms)],
      ),
    ),
    ...Object.entries(forbiddenClickHouseRooms).map(([room, rooms]) =>
      restrictImports(`src/clickhouse/${room}`, noProgram, clickhouse, noImportFrom(rooms)),
    ),
  ];
}

export default defineConfig(
  { ignores: ['node_modules/', 'coverage/', 'data/', 'dist/', 'dist-*/', 'src/openapi-types.ts'] },
  {
    files: ['**/*.{js,ts}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Exports have names.' },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['{src,cli,demo,bench,page}/**'],
    rules: {
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['test/**'],
    rules: {
      // Tests index into answers that they have just described.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  restrictImports('src', clickHousePackages, noProgram),
  {
    ...restrictImports(
      'src',
      ...[clickHousePackages, noProgram, noImportFrom(forbiddenToRootFiles, '\\./')],
    ),
    files: ['src/*.ts'],
    ignores: ['src/main.ts', 'src/service.ts', 'src/open-domain.ts'],
  },
  restrictImports('test', clickHousePackages),
  restrictImports('test/support'),
  ...layers(),
  {
    // Tools ask for a default export.
    files: ['*.config.{js,ts}'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
