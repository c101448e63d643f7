// Compressed bodies both ways: gzip and br. https://www.rfc-editor.org/rfc/rfc9110#section-8.4
import { pipeline, type Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants, createBrotliCompress, createBrotliDecompress, createGunzip, createGzip, createInflate, gunzip, gzip, inflate } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { fail, type FhirError } from '../fhir/errors.js';

/** Below, a body fits into one packet anyway. */
export const WORTH_COMPRESSING = 1024;
/** Node's default of 11 takes a hundred times as long as 4, and saves a tenth more. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

export type Coding = 'br' | 'gzip';

const WRITERS: Readonly<Record<Coding, (body: Buffer) => Promise<Buffer>>> = {
  br: (body) => promisify(brotliCompress)(body, BROTLI),
  gzip: (body) => promisify(gzip)(body),
};

/** Headers repeat: what was said of one once is remembered. */
const known = new Map<string, Coding | undefined>();
const MAX_KNOWN = 1000;

/** What the caller takes best of those that are written here; of two alike br, which is smaller. Undefined where it takes none. */
export function codingFor(accept: string | string[] | undefined): Coding | undefined {
  if (accept === undefined) return undefined;
  const header = String(accept);
  let coding = known.get(header);
  if (coding === undefined && !known.has(header)) {
    coding = best(header);
    if (known.size < MAX_KNOWN) known.set(header, coding);
  }
  return coding;
}

function best(header: string): Coding | undefined {
  const qualities = new Map(header.toLowerCase().split(',').map((part): [string, number] => {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    return [name === 'x-gzip' ? 'gzip' : name, quality === undefined ? 1 : Number(quality.slice(2)) || 0];
  }));
  const quality = (name: string): number => qualities.get(name) ?? qualities.get('*') ?? 0;
  const [br, zip] = [quality('br'), quality('gzip')];
  if (br <= 0 && zip <= 0) return undefined;
  return br >= zip ? 'br' : 'gzip';
}

/** In Node's threads, so that others are answered meanwhile. */
export function compress(body: string | Uint8Array, coding: Coding): Promise<Buffer> {
  return WRITERS[coding](typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

/** What is long or comes slowly, packed as it comes: the fastest there is, as files of resources shrink to a tenth by any. */
export function packing(plain: Readable, coding: Coding): Transform {
  const packer = coding === 'br' ? createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }) : createGzip({ level: 1 });
  // Its failures come out where it is read.
  pipeline(plain, packer, () => undefined);
  return packer;
}

interface Unpacking {
  readonly whole: (body: Buffer, limits: { readonly maxOutputLength: number }) => Promise<Buffer>;
  readonly stream: () => NodeJS.ReadWriteStream;
}

const GZIP: Unpacking = { whole: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip), stream: () => createGunzip() };
const UNPACKERS: Readonly<Record<string, Unpacking>> = {
  gzip: GZIP,
  'x-gzip': GZIP,
  br: { whole: promisify<Buffer, { maxOutputLength: number }, Buffer>(brotliDecompress), stream: () => createBrotliDecompress() },
  deflate: { whole: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate), stream: () => createInflate() },
};

/** Puts the plain bytes of a body in the place of compressed ones. `limitBytes` holds for them: a small body that unpacks to more is 413. A file is read as it comes, and has its limit there. */
export async function unpackBody(request: FastifyRequest, limitBytes: number): Promise<void> {
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity' || request.body === undefined) return;
  const unpacking = Object.hasOwn(UNPACKERS, coding) ? UNPACKERS[coding] : undefined;
  if (!unpacking) throw fail('unsupported-media-type', { text: `The body is in the coding ${coding.slice(0, 60)}: send it in gzip, br or deflate, or without` }, { 'accept-encoding': 'gzip, br, deflate' });
  if (!Buffer.isBuffer(request.body)) {
    request.body = unpackedStream(request.body as Readable, unpacking, coding);
    return;
  }
  try {
    request.body = await unpacking.whole(request.body, { maxOutputLength: limitBytes });
  } catch (error) {
    throw isTooLong(error) ? fail('body-too-long', { text: 'The body is longer than the server takes once it is unpacked' }) : notIn(coding);
  }
}

function unpackedStream(body: Readable, { stream }: Unpacking, coding: string): AsyncIterable<Uint8Array> {
  const plain = stream();
  // Its failures come out where it is read.
  pipeline(body, plain, () => undefined);
  return readThrough(plain as unknown as AsyncIterable<Uint8Array>, coding);
}

async function* readThrough(plain: AsyncIterable<Uint8Array>, coding: string): AsyncGenerator<Uint8Array> {
  try {
    yield* plain;
  } catch (error) {
    throw isCorrupt(error) ? notIn(coding) : error;
  }
}

const notIn = (coding: string): FhirError => fail('bad-request', { text: `The body can not be unpacked: Content-Encoding says ${coding}, and it is not in it or not whole` });
const codeOf = (error: unknown): string => (typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '');
const isTooLong = (error: unknown): boolean => codeOf(error) === 'ERR_BUFFER_TOO_LARGE';
const isCorrupt = (error: unknown): boolean => /^(Z_|ERR_BROTLI|ERR__ERROR)/.test(codeOf(error));
