// The table of routes: every interaction the server has, and what answers it. https://hl7.org/fhir/R4/http.html#summary
import { create } from '../interactions/create.js';
import { deleteResource } from '../interactions/delete.js';
import { deleteHistory } from '../interactions/delete-history.js';
import { history } from '../interactions/history.js';
import { historyOfTypes } from '../interactions/history-of-types.js';
import { once } from '../interactions/once.js';
import { patch } from '../interactions/patch.js';
import { read, vread } from '../interactions/read.js';
import { search } from '../interactions/search.js';
import { update } from '../interactions/update.js';
import type { Handler } from '../interactions/context.js';
import type { Route } from './router.js';

export interface OtherHandlers {
  readonly bundle: Handler;
  readonly operation: Handler;
  /** Makes a handler that can be asked to answer later. */
  readonly later: (handler: Handler) => Handler;
  readonly capabilities: Handler;
  readonly job: { readonly status: Handler; readonly file: Handler; readonly cancel: Handler };
}

export function createRoutes({ bundle, operation, capabilities, job, later }: OtherHandlers): Readonly<Record<string, Route>> {
  const [searched, versions, versionsOfTypes, called] = [later(search), later(history), later(historyOfTypes), later(operation)];
  return {
    'GET metadata': { interaction: 'capabilities', handler: capabilities },
    'POST ': { interaction: 'batch', handler: later(bundle) },
    'GET ': { interaction: 'search', handler: searched },
    'POST _search': { interaction: 'search', handler: searched },
    'GET _history': { interaction: 'history', handler: versionsOfTypes },
    'GET [type]': { interaction: 'search', handler: searched },
    'POST [type]/_search': { interaction: 'search', handler: searched },
    'GET [type]/_history': { interaction: 'history', handler: versionsOfTypes },
    'GET [type]/[id]/[compartment]': { interaction: 'search', handler: searched },
    'POST [type]/[id]/_search': { interaction: 'search', handler: searched },
    'POST [type]/[id]/[compartment]/_search': { interaction: 'search', handler: searched },
    'POST [type]': { interaction: 'create', handler: once(create) },
    'PUT [type]': { interaction: 'update', handler: once(update) },
    'PATCH [type]': { interaction: 'patch', handler: once(patch) },
    'DELETE [type]': { interaction: 'delete', handler: once(deleteResource) },
    'GET [type]/[id]': { interaction: 'read', handler: read },
    'PUT [type]/[id]': { interaction: 'update', handler: once(update) },
    'PATCH [type]/[id]': { interaction: 'patch', handler: once(patch) },
    'DELETE [type]/[id]': { interaction: 'delete', handler: once(deleteResource) },
    'GET [type]/[id]/_history': { interaction: 'history', handler: versions },
    'GET [type]/[id]/_history/[version]': { interaction: 'vread', handler: vread },
    'DELETE [type]/[id]/_history': { interaction: 'delete-history', handler: once(deleteHistory) },
    'DELETE [type]/[id]/_history/[version]': { interaction: 'delete-history', handler: once(deleteHistory) },
    'GET _jobs/[id]': { interaction: 'operation', handler: job.status },
    'GET _jobs/[id]/[file]': { interaction: 'operation', handler: job.file },
    'DELETE _jobs/[id]': { interaction: 'operation', handler: job.cancel },
    'GET $[operation]': { interaction: 'operation', handler: called },
    'POST $[operation]': { interaction: 'operation', handler: called },
    'GET [type]/$[operation]': { interaction: 'operation', handler: called },
    'POST [type]/$[operation]': { interaction: 'operation', handler: called },
    'GET [type]/[id]/$[operation]': { interaction: 'operation', handler: called },
    'POST [type]/[id]/$[operation]': { interaction: 'operation', handler: called },
  };
}
