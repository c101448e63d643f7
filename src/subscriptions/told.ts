// What a notification tells of, as its subscriber may see it at the moment of delivery.
import { patientsIn } from '../audit/patients.js';
import { rowOf } from '../chargeable-status/status/status-row.js';
import { isAnswered, vmObservation } from '../chargeable-status/vm/vm-observation.js';
import type { Reader } from '../store/store.js';
import type { Queued } from './queue.js';
import { askingFor, type Permit } from './rights.js';
import type { Subscriber } from './subscribers.js';

export interface Told {
  /** May the subscriber see it now? */
  readonly visible: boolean;
  /** JSON text of the version that was told of; undefined where there is nothing any more. */
  readonly text?: string;
  /** Ids of those whom it is about. */
  readonly patients: readonly string[];
}

/** Throws 403 where the subscriber has lost the right. */
export async function toldOf({ caller, wanted }: Subscriber, { focus, version, detail, at }: Pick<Queued, 'focus' | 'version' | 'detail' | 'at'>, { store, permit }: { readonly store: Pick<Reader, 'vread'>; readonly permit: Permit }): Promise<Told> {
  const grant = permit(caller, askingFor(wanted));
  if (detail !== null) {
    const row = rowOf(detail);
    return { visible: true, patients: [row.patient], ...(isAnswered(row) && { text: vmObservation(row, at).text }) };
  }
  const [type = '', id = ''] = focus.split('/');
  const found = await store.vread(grant, type, id, version);
  return { visible: found !== undefined, patients: patientsIn(`${found?.text ?? ''} "${focus}"`), ...(found?.text != null && { text: found.text }) };
}
