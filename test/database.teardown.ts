// Stop the server that database.setup.ts started, and remove its data.
import { rmSync } from 'node:fs';
import type { Embedded } from '../src/db/embedded.js';

/** Jest loads set-up and tear-down in one process, each with modules of its own: only globalThis is common to them. */
const kept = globalThis as { testServer?: { readonly server: Embedded; readonly dataDir: string } };

export function keepServer(server: Embedded, dataDir: string): void {
  kept.testServer = { server, dataDir };
}

export default async function teardown(): Promise<void> {
  if (kept.testServer === undefined) return;
  await kept.testServer.server.stop();
  rmSync(kept.testServer.dataDir, { recursive: true, force: true });
}
