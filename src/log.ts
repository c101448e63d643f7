// What is logged tells of the server, never of people: an error keeps its kind, its code and where it came from, and loses what it quotes.
import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.js';

/** Members by which PostgreSQL's errors quote rows and statements: https://www.postgresql.org/docs/current/protocol-error-fields.html */
const QUOTING = new Set(['detail', 'where', 'internalQuery', 'hint', 'query', 'values', 'parameters']);
/** Ten digits, however they are spaced: an NHS number. */
const NUMBERS = /\b\d{3}[ -]?\d{3}[ -]?\d{4}\b/g;
/** A token of three parts, or what follows the word Bearer. */
const TOKENS = /\beyJ[\w-]+\.[\w-]*\.?[\w-]*|\bBearer +\S+/gi;
/** What PostgreSQL repeats of a value that it can't read. */
const VALUES = /(invalid input syntax for [^:]+|value too long[^:]*|invalid byte sequence[^:]*): .*/g;

/** `to`: where lines go; standard output when absent. */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>, to?: DestinationStream): Logger {
  const options = { level: logLevel, redact: { paths: ['req.headers.authorization'], remove: true }, serializers: { err: told } };
  return to ? pino(options, to) : pino(options);
}

function told(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? cleaned(error) : error;
  const members = Object.entries({ ...stdSerializers.err(error) }).filter(([member]) => !QUOTING.has(member));
  return Object.fromEntries(members.map(([member, value]) => [member, typeof value === 'string' ? cleaned(value) : value]));
}

const cleaned = (text: string): string => text.replace(TOKENS, '(token)').replace(VALUES, '$1').replace(NUMBERS, '(number)');
