// Is the process alive, and can it serve? For people, load balancers and containers.
import type { FastifyInstance } from 'fastify';

export interface Health {
  /** Resolves when a request would be served now; rejects with the reason. */
  readonly ready: () => Promise<void>;
}

export function registerHealthDoor(app: FastifyInstance, health: Health): void {
  app.get('/healthz', () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    try {
      await health.ready();
      return { status: 'ready' };
    } catch {
      return reply.code(503).send({ status: 'not ready' });
    }
  });
}
