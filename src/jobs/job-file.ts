// The file of a job: kept in the database piece by piece as it comes, and read back from any place. Memory holds a piece at a time.
import type { Queryable } from '../db/database.js';

/** All pieces but the last have this length, so a place in the file is a piece and a place in it. */
const PIECE_BYTES = 256 * 1024;

const ADD = { name: 'job-file-add', text: 'insert into fhir.job_file (job, seq, bytes) values ($1, $2, $3)' };
const GET = { name: 'job-file-get', text: 'select bytes from fhir.job_file where job = $1 and seq = $2' };

/** Keeps a stream as the file of a job; gives its length. `onBytes` is told of each piece kept. */
export async function keepFile(db: Queryable, job: string, stream: AsyncIterable<Uint8Array>, onBytes: (count: number) => void = () => undefined): Promise<number> {
  let waiting: Uint8Array[] = [];
  let held = 0;
  let seq = 0;
  let size = 0;
  const send = async (bytes: Uint8Array): Promise<void> => {
    await db.query({ ...ADD, values: [job, seq, bytes] });
    seq += 1;
    size += bytes.length;
    onBytes(bytes.length);
  };
  for await (const part of stream) {
    waiting.push(part);
    held += part.length;
    if (held < PIECE_BYTES) continue;
    const all = Buffer.concat(waiting);
    let from = 0;
    for (; held - from >= PIECE_BYTES; from += PIECE_BYTES) await send(all.subarray(from, from + PIECE_BYTES));
    waiting = [all.subarray(from)];
    held -= from;
  }
  if (held > 0) await send(Buffer.concat(waiting));
  return size;
}

/** The bytes from a place to the end of a piece; undefined behind the end of the file. */
export async function readFrom(db: Queryable, job: string, position: number): Promise<Buffer | undefined> {
  const seq = Math.floor(position / PIECE_BYTES);
  const { rows } = await db.query<{ bytes: Buffer }>({ ...GET, values: [job, seq] });
  const bytes = rows[0]?.bytes.subarray(position - seq * PIECE_BYTES);
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
}
