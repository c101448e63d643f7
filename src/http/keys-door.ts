// The public key by which receivers know that a notification came from here. https://www.rfc-editor.org/rfc/rfc7517#section-5
import type { FastifyInstance } from 'fastify';

/** `keys`: a JWK Set as JSON text; the same for as long as the database is. */
export function registerKeysDoor(app: FastifyInstance, keys: string): void {
  app.get('/.well-known/jwks.json', (_request, reply) => reply.header('content-type', 'application/jwk-set+json').header('cache-control', 'public, max-age=600').send(keys));
}
