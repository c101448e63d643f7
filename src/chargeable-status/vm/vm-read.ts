// Reading the status observation by its id, which stays the same for a patient (VM-08).
import { namesVersion } from '../../fhir/etag.js';
import type { Answerer } from '../../store/answerer.js';
import { VM_OBSERVATION_ID } from '../codes.js';
import { statusByObservation } from '../status/status-row.js';
import { isAnswered, vmObservation } from './vm-observation.js';
import { mayAsk, NO_STORE } from './vm-search.js';

export function createVmRead(): Answerer {
  return {
    concerns: (request, grant) =>
      request.interaction === 'read' && request.type === 'Observation' && request.id?.startsWith(VM_OBSERVATION_ID) === true && mayAsk(grant),
    async answer(request, { db, now }) {
      const row = await statusByObservation(db, request.id ?? '');
      // The ordinary road knows no such Observation either, and says so.
      if (!row || !isAnswered(row)) return undefined;
      const { text, version, updated } = vmObservation(row, now);
      const head = { version, updated, headers: NO_STORE, about: [row.patient] };
      if (request.ifNoneMatch !== undefined && namesVersion(request.ifNoneMatch, Number(version))) return { status: 304, ...head };
      return { status: 200, body: text, ...head };
    },
  };
}
