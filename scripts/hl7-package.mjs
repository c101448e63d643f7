// HL7's pristine R4 definitions and examples (CC0, 191 MB): fetched when a script needs them, never a dependency.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = 'hl7.fhir.r4.examples@4.0.1';

/** Runs `run` with the folder of the package, fetched by `npm pack` into a temporary one that is removed afterwards. */
export function fetchPackage(run) {
  const folder = mkdtempSync(join(tmpdir(), 'r4-package-'));
  try {
    execFileSync('npm', ['pack', PACKAGE, '--silent', '--pack-destination', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('tar', ['-xzf', join(folder, readdirSync(folder)[0]), '-C', folder]);
    return run(join(folder, 'package'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
