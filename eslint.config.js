// Lint: typescript-eslint's strictest type-checked set. Each exception says why.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'data/', 'bench/results/'] },
  { linterOptions: { noInlineConfig: true } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // `== null` asks for null and undefined at once.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'A file is named by its main export: no default exports.' }],
      // `const { left, ...rest }` takes a member away, and a leading underscore says that an interface asks for the parameter.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Numbers read well in messages and keys; the rule is about objects and undefined.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // JSON and rows come untyped from outside: a type parameter says once what is expected of them.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Objects here are closures: their methods have no `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
      // `() => statement()` is how a callback without a value is written.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    // The command line and the start of the process speak to a person.
    files: ['src/cli.ts', 'src/main.ts', 'bench/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // The compilers of this house: HL7's definitions and ours become JavaScript at start, nothing of a request does.
    files: ['src/validation/scope.ts', 'src/fhirpath/generate.ts'],
    rules: { '@typescript-eslint/no-implied-eval': 'off' },
  },
  {
    // A FastifyReply is a promise only for Fastify's own use: waiting for it would wait for the client to read.
    files: ['src/http/**'],
    rules: { '@typescript-eslint/return-await': 'off' },
  },
  {
    // Jest calls these by their default export.
    files: ['test/database.setup.ts', 'test/database.teardown.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Generated from the definitions: names pass memberName, values pass as parameters.
    files: ['src/validation/scope.ts'],
    rules: { '@typescript-eslint/no-implied-eval': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A body is whatever the server answered: tests assert its shape instead of declaring it.
      '@typescript-eslint/no-explicit-any': 'off',
      // A test reads what it has just asserted to be there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Bodies of responses and jest's matchers are `any` by their own types.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      // Stand-ins for asynchronous parts need not wait for anything.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    rules: { eqeqeq: 'error', 'no-undef': 'off', 'no-unused-vars': 'error', 'no-unreachable': 'error', 'prefer-const': 'error', 'no-var': 'error' },
  },
);
