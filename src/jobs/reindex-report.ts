// How far a reindex is, and what it came to.
import type { AddedParameters } from '../store/added-parameters.js';
import type { JobReport } from './job-door.js';
import { REINDEX, type ReindexProgress, type ReindexRequest } from './reindex.js';

/** Who is told that it is done finds it so: this server then knows it too. */
export const createReindexReport = (added: Pick<AddedParameters, 'refresh'>): JobReport => ({
  type: REINDEX,
  progress({ progress, size }) {
    const { seen, type } = JSON.parse(progress) as ReindexProgress;
    return `${seen} of about ${Math.max(size, seen)} resources gone through${type === undefined ? '' : `, now at ${type}`}`;
  },
  async answer({ request, result }) {
    await added.refresh();
    const { kind, url } = JSON.parse(request) as ReindexRequest;
    const { seen } = JSON.parse(result ?? '{}') as Partial<ReindexProgress>;
    const parameter = [
      { name: 'parameter', valueUri: url },
      { name: 'state', valueCode: kind === 'add' ? 'active' : 'removed' },
      ...(kind === 'add' ? [{ name: 'resources', valueInteger: seen ?? 0 }] : []),
    ];
    return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
  },
});
