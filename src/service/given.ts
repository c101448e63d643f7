// What a service is made from: by main, by the tests, by the command line.
import type { AppLog } from '../app.js';
import type { Config } from '../config.js';
import type { Database } from '../db/database.js';
import type { Definitions } from '../definitions/model.js';
import type { Packages } from '../definitions/packages.js';
import type { Authority } from '../identity/identity.js';

export interface Given {
  readonly config: Config;
  /** Migrated. */
  readonly database: Database;
  readonly definitions: Definitions;
  readonly authority: Authority;
  readonly log: AppLog;
  readonly version: string;
  /** Packages of others; those in profiles/ when absent. */
  readonly packages?: Packages;
}
