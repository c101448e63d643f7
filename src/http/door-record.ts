// Puts on record what is asked at the doors beside the FHIR service: tokens, the register of clients, CDS Hooks.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { DoorAccess } from '../audit/trail.js';
import { single } from './decode.js';

export type RecordAccess = (door: string, access: DoorAccess) => void;

const callers = new WeakMap<FastifyRequest, NonNullable<DoorAccess['who']>>();

/** To be told by a door once it knows who asks. */
export function identified<T extends NonNullable<DoorAccess['who']>>(request: FastifyRequest, who: T): T {
  callers.set(request, who);
  return who;
}

/** Every answer of this scope is recorded, under a word for each path; what tells nothing of anybody is left out (undefined). */
export function recordDoors(scope: FastifyInstance, doorOf: (request: FastifyRequest) => string | undefined, record: RecordAccess): void {
  scope.addHook('onResponse', (request, to, done) => {
    const door = doorOf(request);
    const { headers } = request;
    if (door !== undefined) {
      record(door, {
        who: callers.get(request), status: to.statusCode, line: `${request.method} ${request.url}`, address: request.ip,
        requestId: single(headers['x-request-id']), correlationId: single(headers['x-correlation-id']),
      });
    }
    done();
  });
}
