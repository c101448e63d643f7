// The public keys by which receivers know that a notification, or an id_token, came from here. https://www.rfc-editor.org/rfc/rfc7517#section-5
import type { FastifyInstance } from 'fastify';
import { PATHS } from '../dispatch/smart.js';

/** `keys`: a JWK Set as JSON text; the same for as long as the database is. */
export function registerKeysDoor(app: FastifyInstance, keys: () => Promise<string>): void {
  app.get(PATHS.keys, async (_request, reply) => reply.header('content-type', 'application/jwk-set+json').header('cache-control', 'public, max-age=600').send(await keys()));
}
