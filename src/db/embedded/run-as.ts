// PostgreSQL refuses to run as root, and initdb under a uid that /etc/passwd doesn't know: find a way to run it as somebody it accepts.
import { spawnSync } from 'node:child_process';
import { chmodSync, lchownSync, readdirSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';

const NOBODY = 65534;
const IN_USER_NAMESPACE = ['unshare', '-U', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

export interface RunAs {
  /** Words to put before the command. */
  readonly prefix: readonly string[];
  /** Change to this user at spawn; its data directory must belong to it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** How to run PostgreSQL on this cluster (whose directory may not exist yet). Throws, saying what to do, when there is no way. */
export function runAs(clusterDir: string): RunAs {
  const uid = process.getuid?.();
  if (uid === undefined) return { prefix: [] };
  return uid === 0 ? asRoot(clusterDir) : asUser(uid, clusterDir);
}

/**
 * Within a user namespace root's files stay root's and are still seen as nobody's, so nothing need change hands. Where the system
 * doesn't allow one, nobody itself runs it; and a cluster that belongs to a user already runs as that user.
 */
function asRoot(clusterDir: string): RunAs {
  const cluster = statSync(clusterDir, { throwIfNoEntry: false });
  if (cluster !== undefined && cluster.uid !== 0) return { prefix: [], owner: { uid: cluster.uid, gid: cluster.gid } };
  if (userNamespacesWork()) return { prefix: IN_USER_NAMESPACE };
  handOver(clusterDir);
  return { prefix: [], owner: { uid: NOBODY, gid: NOBODY } };
}

/** The cluster, if there is one, becomes nobody's, and nobody may pass through the directory above it. */
function handOver(clusterDir: string): void {
  const above = dirname(clusterDir);
  chmodSync(above, statSync(above).mode | 0o011);
  if (statSync(clusterDir, { throwIfNoEntry: false }) === undefined) return;
  for (const path of ['.', ...readdirSync(clusterDir, { recursive: true, encoding: 'utf8' })]) lchownSync(join(clusterDir, path), NOBODY, NOBODY);
}

function asUser(uid: number, clusterDir: string): RunAs {
  if (hasName()) return { prefix: [] };
  if (userNamespacesWork()) return { prefix: IN_USER_NAMESPACE };
  // Only initdb asks for the name.
  if (statSync(clusterDir, { throwIfNoEntry: false }) !== undefined) return { prefix: [] };
  throw new Error(
    `PostgreSQL can't be set up by uid ${uid}, which has no entry in /etc/passwd, where user namespaces are not allowed. ` +
      'Run as a user with an entry, or set DATABASE_URL.',
  );
}

function hasName(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

function userNamespacesWork(): boolean {
  const [command = '', ...words] = IN_USER_NAMESPACE;
  return process.platform === 'linux' && spawnSync(command, [...words, 'true']).status === 0;
}
