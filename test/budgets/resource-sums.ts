// What a budget comes to by its resources alone (its Account, Claims and PaymentNotices, read over HTTP): the other side of every comparison
// with the ledger. Nothing here is shared with the code that keeps the ledger.

/** A GET below the base that gives the parsed body; throws for any other status. */
export type Get = (path: string) => Promise<any>;

/** All in pence. */
export interface ResourceSums {
  readonly allocated: number;
  readonly committed: number;
  readonly spent: number;
  readonly disbursed: number;
  readonly available: number;
  /** Of each active purchase, by id: its total, what is paid of it, and what came back. */
  readonly purchases: ReadonlyMap<string, { readonly claim: any; readonly total: number; readonly paid: number; readonly refunded: number }>;
}

export const penceOf = (money: any): number => Math.round(Number(money?.value ?? 0) * 100);
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Every match of a search, page by page; `base` is what the links begin with. */
export async function allOf(get: Get, path: string): Promise<any[]> {
  const found: any[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const bundle: any = await get(next);
    found.push(...(bundle.entry ?? []).filter(({ search }: any) => search.mode === 'match').map(({ resource }: any) => resource));
    const link: string | undefined = bundle.link?.find(({ relation }: any) => relation === 'next')?.url;
    next = link?.slice(link.lastIndexOf('/', link.indexOf('?')) + 1);
  }
  return found;
}

const partOf = (element: any, name: string): any => element.extension?.find(({ url }: any) => url === name || url.endsWith(`/ext-${name}`));
const kindOf = (notice: any): string => partOf(notice, 'payment-kind').valueCode;

export async function resourceSums(get: Get, account: string): Promise<ResourceSums> {
  const budget = await get(`Account/${account}`);
  const claims = await allOf(get, `Claim?budget=Account/${account}&_count=200`);
  const notices = (await allOf(get, `PaymentNotice?budget=Account/${account}&_count=200`)).filter(({ status }) => status === 'active');
  const paidOf = (reference: string, kind: string): number => sum(notices.filter((one) => one.request?.reference === reference && kindOf(one) === kind).map(({ amount }) => penceOf(amount)));
  const active = claims.filter(({ status }) => status === 'active');
  const purchases = new Map(active.filter(({ use }) => use === 'claim').map((claim) => {
    const of = `Claim/${claim.id}`;
    return [claim.id as string, { claim, total: sum(claim.item.map(({ net }: any) => penceOf(net))), paid: paidOf(of, 'payment'), refunded: paidOf(of, 'refund') }];
  }));
  const made: any[] = [];
  for (const claim of claims) if (claim.status === 'active' || (claim.related && (await wasActive(get, claim)))) made.push(claim);
  const reserved = active.filter(({ use }) => use === 'preauthorization').map((claim) => leftOf(claim, made));
  const allocated = sum(budget.extension.filter(({ url }: any) => url.endsWith('/ext-allocation')).map((line: any) => penceOf(partOf(line, 'amount').valueMoney)));
  const committed = sum(reserved) + sum([...purchases.values()].map(({ total, paid }) => total - paid));
  const spent = sum(notices.filter((one) => kindOf(one) === 'payment').map(({ amount }) => penceOf(amount))) - sum(notices.filter((one) => kindOf(one) === 'refund').map(({ amount }) => penceOf(amount)));
  const disbursed = paidOf(`Account/${account}`, 'advance') - paidOf(`Account/${account}`, 'clawback');
  return { allocated, committed, spent, disbursed, available: allocated - committed - spent, purchases };
}

/** What a purchase used of a commitment stays used though it is cancelled. */
const wasActive = async (get: Get, claim: any): Promise<boolean> => (await get(`Claim/${claim.id}/_history?_count=200`)).entry.some(({ resource }: any) => resource?.status === 'active');

/** What a commitment still reserves: nothing once a purchase that fulfils it was the last, else what those have not used. */
function leftOf(commitment: any, made: readonly any[]): number {
  const links = made.flatMap((claim) => (claim.related ?? []).filter((related: any) => related.claim?.reference === `Claim/${commitment.id}`).map((related: any) => ({ claim, related })));
  if (links.some(({ related }) => partOf(related, 'final')?.valueBoolean !== false)) return 0;
  return Math.max(0, penceOf(commitment.total) - sum(links.map(({ claim }) => penceOf(claim.total))));
}

/** An amount parted by weights to the penny, odd pence to the largest remainders, the first of equals first. */
export function parted(amount: number, weights: readonly number[]): number[] {
  const whole = BigInt(sum(weights));
  if (whole === 0n) return weights.map(() => 0);
  const parts = weights.map((weight, index) => ({ index, low: (BigInt(amount) * BigInt(weight)) / whole, rest: (BigInt(amount) * BigInt(weight)) % whole }));
  let odd = amount - sum(parts.map(({ low }) => Number(low)));
  const shares = parts.map(({ low }) => Number(low));
  for (const { index } of [...parts].sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))) {
    if (odd <= 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
    odd -= 1;
  }
  return shares;
}
