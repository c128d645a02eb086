import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Only src/engine knows ClickHouse; tests reach it through test/support, measurements as they like. */
const clickHousePackages = {
  regex: '^(@clickhouse/|chdb$|chdb/|ffi-rs$)',
  message: 'Only src/engine and test/support speak to ClickHouse.',
};

/**
 * Data walks one way: http → calls | usage | prices → engine. What a folder must not import.
 * @param {string[]} folders of src
 */
function nothingFrom(...folders) {
  return {
    regex: `^(\\.\\./)+(src/)?(${folders.join('|')})(/|\\.ts$)`,
    message: 'Data walks one way: http → calls | usage | prices → engine.',
  };
}

/**
 * @param {string[]} files
 * @param {{ regex: string, message: string }[]} patterns
 * @returns {import('eslint').Linter.Config}
 */
function restrictImports(files, ...patterns) {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

const entries = ['main', 'cli', 'demo'];

export default defineConfig(
  { ignores: ['node_modules/', 'coverage/', 'data/', 'src/http/openapi-types.ts'] },
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
    files: ['src/**'],
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
  restrictImports(['src/**'], clickHousePackages),
  restrictImports(['test/**'], clickHousePackages),
  restrictImports(['test/support/**']),
  restrictImports(
    ['src/engine/**'],
    nothingFrom(...entries, 'http', 'calls', 'usage', 'prices', 'errors'),
  ),
  restrictImports(
    ['src/{calls,usage,prices}/**'],
    clickHousePackages,
    nothingFrom(...entries, 'http'),
  ),
  restrictImports(['src/http/**'], clickHousePackages, nothingFrom(...entries)),
  {
    // Tools ask for a default export.
    files: ['*.config.{js,ts}'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
