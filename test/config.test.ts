// Settings: defaults, checks, and the words of a refusal.
import { resolve } from 'node:path';
import { ConfigError, readConfig, serviceBase, settingsTable } from '../src/config.js';

describe('readConfig', () => {
  test('gives the documented defaults for an empty environment', () => {
    expect(readConfig({})).toEqual({
      port: 8080, host: '127.0.0.1', dataDir: resolve('data'), databaseUrl: undefined, databasePoolSize: 10, databasePrepared: true,
      basePath: '/fhir/R4', publicUrl: undefined, bodyLimitBytes: 33_554_432, fileLimitBytes: 2_147_483_648, binaryTypes: undefined, conditionalDelete: 'single', conditionalDeleteLimit: 1000, matchEveryMs: 30_000, authIssuer: undefined, authJwksUrl: undefined,
      authAudience: undefined, nonePolicy: 'all', vmProfile: 'modern', vmUnsignedTokens: false, tlsFloor: '1.2', unknownProfile: 'warning', logLevel: 'info', clockOffsetMs: 0,
      headerLimitBytes: 16_384, requestTimeoutMs: 120_000, statementTimeoutMs: 30_000, overloadLagMs: 2000, rateLimit: 20_000, refusalLimit: 1000, jsonDepthLimit: 100, bundleEntryLimit: 50_000, pageLimit: 1000,
      includeLimit: 1000, criteriaLimit: 64, chainLimit: 12, developmentSignIn: 'loopback', subscriptionNetwork: 'public', subscriptionRetryMs: 1000, subscriptionGiveUpMs: 86_400_000,
    });
  });

  test('is frozen', () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });

  test('takes an empty variable for an unset one', () => {
    expect(readConfig({ DATABASE_URL: '', PORT: ' ' })).toMatchObject({ databaseUrl: undefined, port: 8080 });
  });

  test('drops the slash at the end of paths and origins', () => {
    expect(readConfig({ BASE_PATH: '/api/fhir/', PUBLIC_URL: 'https://fhir.example.nhs.uk/' })).toMatchObject({ basePath: '/api/fhir', publicUrl: 'https://fhir.example.nhs.uk' });
  });

  test.each([
    ['PORT', 'http'], ['PORT', '65536'], ['PORT', '-1'], ['PORT', '80.5'], ['PORT', '1e3'], ['HOST', 'two words'], ['DATABASE_URL', 'mysql://localhost/x'],
    ['DATABASE_URL', 'localhost:5432'], ['DATABASE_POOL_SIZE', '1'], ['DATABASE_PREPARED', 'yes'], ['BASE_PATH', 'fhir'], ['BASE_PATH', '/fhir?x'],
    ['PUBLIC_URL', 'fhir.example'], ['PUBLIC_URL', 'https://a.example/?x=1'], ['LOG_LEVEL', 'loud'], ['NONE_POLICY', 'some'], ['CLOCK_OFFSET_MS', 'tomorrow'],
    ['BODY_LIMIT_BYTES', '12'], ['CORS_ORIGINS', 'app.example'], ['CORS_ORIGINS', 'https://a.example/x'], ['TRUSTED_PROXIES', 'proxy.example'], ['TRUSTED_PROXIES', '10.0.0.0/33'], ['RATE_LIMIT', '0'], ['AUTH_JWKS_URL', 'file:///etc/passwd'],
  ])('refuses %s=%s and names the variable', (variable, value) => {
    expect(() => readConfig({ [variable]: value })).toThrow(ConfigError);
    expect(() => readConfig({ [variable]: value })).toThrow(`${variable} must be `);
  });

  test('never shows a database URL, which may hold a password', () => {
    expect(() => readConfig({ DATABASE_URL: 'mysql://me:secret@localhost/x' })).toThrow(/^(?!.*secret)/);
  });

  test.each(['127.0.0.1', '::1', 'localhost'])('lets the clock be shifted on %s', (host) => {
    expect(readConfig({ CLOCK_OFFSET_MS: '-86400000', HOST: host }).clockOffsetMs).toBe(-86_400_000);
  });

  test.each(['0.0.0.0', '::', '10.0.0.1'])('refuses to shift the clock on %s', (host) => {
    expect(() => readConfig({ CLOCK_OFFSET_MS: '1', HOST: host })).toThrow(/CLOCK_OFFSET_MS .*loopback/);
  });

  test('names what is missing of an external issuer', () => {
    expect(() => readConfig({ AUTH_ISSUER: 'https://issuer.example' })).toThrow('also set AUTH_JWKS_URL and AUTH_AUDIENCE');
  });
});

describe('serviceBase', () => {
  test.each([
    [{}, 8080, 'http://127.0.0.1:8080/fhir/R4'],
    [{ HOST: '0.0.0.0' }, 9000, 'http://localhost:9000/fhir/R4'],
    [{ HOST: '::1', BASE_PATH: '/' }, 9000, 'http://[::1]:9000'],
    [{ PUBLIC_URL: 'https://fhir.example.nhs.uk' }, 9000, 'https://fhir.example.nhs.uk/fhir/R4'],
  ])('of %j on port %d is %s', (environment, port, base) => {
    expect(serviceBase(readConfig(environment), port)).toBe(base);
  });
});

test('the table of settings has one row per setting', () => {
  const rows = settingsTable().split('\n').slice(2);
  expect(rows).toHaveLength(Object.keys(readConfig({})).length);
  for (const row of rows) expect(row).toMatch(/^\| `[A-Z_]+` \| (`[^`]+`)? ?\| [^|]+\. \|$/);
});
