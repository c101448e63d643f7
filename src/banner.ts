// What a person sees who has just started the server: where it is and what to type next.
import { isDevelopment, serviceBase, type Config } from './config.js';

export function banner(config: Config, port: number, embedded: boolean): string {
  const base = serviceBase(config, port);
  const origin = base.slice(0, base.length - config.basePath.length);
  const development = isDevelopment(config);
  return [
    '',
    '  entitle-fhir is ready',
    '',
    `  FHIR R4 service   ${base}`,
    `  what it can do    ${base}/metadata`,
    `  health            ${origin}/readyz`,
    `  database          ${embedded ? `embedded PostgreSQL in ${config.dataDir}` : 'the one of DATABASE_URL'}`,
    '',
    ...(development ? ['  get a token       npm run -s token -- --role ovm --organization RR8'] : [`  tokens            those of ${config.authIssuer ?? `the issuers in ${config.authIssuers}`}`]),
    '  load demo data    npm run demo',
    ...(development && !isLoopback(config.host) ? ['', '  Anyone who can read DATA_DIR can make tokens: set AUTH_ISSUER before others can reach this server.'] : []),
    '',
  ].join('\n');
}

const isLoopback = (host: string): boolean => host === '127.0.0.1' || host === '::1' || host === 'localhost';
