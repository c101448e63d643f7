// What purchases ask of the commitments that they fulfil. What a commitment still reserves is its total less all of that, whichever way the
// purchases change (domain.md 3.8 rule 4): one that becomes dearer draws on the rest first, and one that becomes cheaper gives back to it.
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import type { Fulfilment, Taken } from './fulfilment.js';
import { committedIn, isOn } from '../ledger/holdings.js';
import { keep } from './joint-split.js';
import { storedTotal } from './purchase-amounts.js';
import { isActive } from './purchase-lifecycle.js';
import { budgetOf } from './purchase.js';
import { sumOf } from '../ledger/shares.js';

interface Asked {
  /** Logical ids of the two Claims. */
  readonly commitment: string;
  readonly claim: string;
  /** Pence. */
  readonly asked: bigint;
  readonly final: boolean;
}

const READ = { name: 'commitment-use-read', text: 'select commitment, claim, asked::text, final from fhir.commitment_use where account = $1 and commitment = any ($2)' };
const NOTE = {
  name: 'commitment-use-note',
  text: `insert into fhir.commitment_use as u (account, claim, commitment, asked, final) select $1, $2, * from unnest($3::text[], $4::bigint[], $5::boolean[])
    on conflict (account, commitment, claim) do update set asked = excluded.asked, final = u.final or excluded.final`,
};

/** A purchase whose money is about to move, with its commitments, whose rows are locked. */
export interface Using {
  readonly id: string;
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly fulfilled: readonly Fulfilment[];
}

async function read({ after, fulfilled }: Using, { tx }: WriteContext): Promise<readonly Asked[]> {
  const { rows } = await tx.db.query<Omit<Asked, 'asked'> & { readonly asked: string }>({ ...READ, values: [budgetOf(after), fulfilled.map(({ claim }) => claim.id)] });
  return rows.map((row) => ({ ...row, asked: BigInt(row.asked) }));
}

async function note({ id, after }: Using, rows: readonly Omit<Asked, 'claim'>[], { tx }: WriteContext): Promise<void> {
  const columns = [rows.map(({ commitment }) => commitment), rows.map(({ asked }) => String(asked)), rows.map(({ final }) => final)];
  await tx.db.query({ ...NOTE, values: [budgetOf(after), id, ...columns] });
}

const ofClaim = (rows: readonly Asked[], commitment: string | undefined, claim: string): Asked | undefined =>
  rows.find((row) => row.commitment === commitment && row.claim === claim);

/** Keeps what the purchase asks `more` of its commitments: what it takes of each, and of the last whatever they could not give. */
export async function askMore(using: Using, more: bigint, taken: readonly Taken[], context: WriteContext): Promise<void> {
  const { id, before, fulfilled } = using;
  if (fulfilled.length === 0) return;
  // One that becomes active asked nothing before: a row that is there was written by this very act, whose COMMIT had no answer.
  const earlier = isActive(before) ? await read(using, context) : [];
  let beyond = more - taken.reduce((sum, { consumed }) => sum + consumed, 0n);
  const rows = [...fulfilled].reverse().map(({ claim: { id: commitment = '' }, final }) => {
    const consumed = taken.reduce((sum, one) => (one.claim === commitment ? sum + one.consumed : sum), 0n);
    const asked = (ofClaim(earlier, commitment, id)?.asked ?? 0n) + consumed + beyond;
    beyond = 0n;
    return { commitment, asked, final };
  });
  await note(using, rows, context);
}

/** What a line gets back for a commitment, in pence. */
export interface Given {
  /** Logical id of the commitment. */
  readonly claim: string;
  readonly account: string;
  readonly line: string;
  readonly amount: bigint;
}

/**
 * What goes back to the commitments, the last first, of a purchase that becomes `less` pence cheaper. `freed` is what it gives up of each
 * line: nothing is reserved anew elsewhere, so this never wants for money. Nothing goes back to a commitment whose last purchase was made.
 */
export async function askLess(using: Using, less: bigint, freed: readonly Omit<Given, 'claim'>[], context: WriteContext): Promise<readonly Given[]> {
  const { id, fulfilled } = using;
  if (fulfilled.length === 0) return [];
  const all = await read(using, context);
  let rest = less;
  let left = freed;
  const [rows, given]: [Omit<Asked, 'claim'>[], Given[]] = [[], []];
  for (const one of [...fulfilled].reverse()) {
    const before = ofClaim(all, one.claim.id, id);
    if (!before) continue;
    const dropped = before.asked < rest ? before.asked : rest;
    rest -= dropped;
    rows.push({ ...before, asked: before.asked - dropped });
    const back = toLines(one, backTo(one, dropped, all), left);
    given.push(...back);
    left = left.map((place) => ({ ...place, amount: place.amount - sumOf(back.filter(isOn(place))) }));
  }
  await note(using, rows, context);
  return given;
}

/** Up to what the commitment says less what all ask of it. */
function backTo({ claim, held }: Fulfilment, dropped: bigint, all: readonly Asked[]): bigint {
  const uses = all.filter(({ commitment }) => commitment === claim.id);
  if (uses.some(({ final }) => final)) return 0n;
  const unasked = (storedTotal(claim) ?? 0n) - uses.reduce((sum, { asked }) => sum + asked, 0n) + dropped - committedIn(held);
  return unasked <= 0n ? 0n : unasked < dropped ? unasked : dropped;
}

/** On lines that it was reserved on, as they are freed. */
function toLines({ claim, held }: Fulfilment, amount: bigint, freed: readonly Omit<Given, 'claim'>[]): readonly Given[] {
  return keep(amount, freed.filter((place) => held.some(isOn(place)))).map((place) => ({ ...place, claim: claim.id ?? '' }));
}
