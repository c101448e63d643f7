// The data of the search bench: patients of twenty organisations with forty observations each, stored as the server's own writer stores them.
import { loadDefinitions } from '../dist/definitions/load.js';
import { createExtractor } from '../dist/search/extract.js';
import { createStore } from '../dist/store/postgres-store.js';
import { observation, patient } from './data.mjs';

export const FAMILIES = 97;
export const ORGANISATIONS = 20;
/** A code that one observation in a thousand has. */
export const SELDOM_CODE = '8310-5';
export const LOINC = 'http://loinc.org';
const SELDOM = 1000;
const OBSERVATIONS_EACH = 40;
/** One in twice so many lasts for days, and of 5,000 one goes on. */
const LASTING = 250;
const OPEN = 5000;
const BATCH = 500;
const UPDATED = Date.UTC(2026, 3, 1);

const organisation = (n) => ({ resourceType: 'Organization', id: `o${n}`, active: true, name: `Organisation ${n} of the bench` });

/** An observation over a time of which it is the beginning. */
function lasting({ effectiveDateTime: start, ...rest }, n) {
  const end = new Date(Date.parse(start) + (1 + (n / LASTING) % 40) * 86_400_000).toISOString();
  return { ...rest, effectivePeriod: n % OPEN === LASTING ? { start } : { start, end } };
}

function world(patients) {
  const made = (resource) => ({ ...resource, meta: { versionId: '1', lastUpdated: new Date(UPDATED).toISOString() } });
  return {
    Organization: { count: ORGANISATIONS, make: (n) => made(organisation(n)) },
    Patient: {
      count: patients,
      make(n) {
        const one = patient(n);
        const [official, ...others] = one.name;
        return made({ ...one, name: [{ ...official, family: `Family${n % FAMILIES}` }, ...others], managingOrganization: { reference: `Organization/o${n % ORGANISATIONS}` } });
      },
    },
    Observation: {
      count: patients * OBSERVATIONS_EACH,
      make(n) {
        const one = { ...made(observation(n, `p${Math.floor(n / OBSERVATIONS_EACH)}`)), id: `b${String(n).padStart(8, '0')}` };
        if (n % (2 * LASTING) === LASTING) return lasting(one, n);
        return n % SELDOM ? one : { ...one, code: { coding: [{ system: LOINC, code: SELDOM_CODE, display: 'Body temperature' }] } };
      },
    },
  };
}

/** Past the rules and the record, as the server's own writer stores resources. */
export async function loadScaled(database, rows) {
  const { rows: [there] } = await database.query({ text: 'select count(*) as count from fhir."Observation"', values: [] });
  if (Number(there.count) >= rows) return;
  const definitions = loadDefinitions();
  const store = createStore({ database, definitions });
  const extract = createExtractor(definitions);
  for (const [type, { count, make }] of Object.entries(world(rows / OBSERVATIONS_EACH))) {
    const { rows: [{ last }] } = await database.query({ text: `select count(*) as last from fhir."${type}"`, values: [] });
    let writing = Promise.resolve();
    for (let from = Number(last); from < count; from += BATCH) {
      const changes = Array.from({ length: Math.min(BATCH, count - from) }, (_, k) => {
        const resource = make(from + k);
        return { type, id: resource.id, version: 1, updated: UPDATED, method: 'POST', text: JSON.stringify(resource), rows: extract(resource) };
      });
      await writing;
      writing = store.write(changes);
      if (from % 50_000 === 0) console.error(`${type}: ${from} of ${count}`);
    }
    await writing;
  }
  await database.query({ text: 'vacuum analyze', values: [] });
}
