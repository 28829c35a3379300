/** Jest runs the TypeScript sources as ES modules; the types are checked by `npm run check`. */
export default {
  testMatch: ['**/__tests__/**/*.test.ts'],
  testEnvironment: 'node',
  // Nothing is proved by a test's speed on a machine that does other things as well; this ends only what hangs.
  testTimeout: 120_000,
  // Integration tests wait more than they work.
  maxWorkers: 3,
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2024', parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/dist/'],
}
