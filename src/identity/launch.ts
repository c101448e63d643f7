// An EHR launch: the handle by which an app that was opened from a record learns of which patient. It gives no right: whoever signs in has theirs.
// https://hl7.org/fhir/smart-app-launch/app-launch.html#launch-app-ehr-launch
import { jwtVerify, SignJWT } from 'jose';
import { DEVELOPMENT_ALGORITHM, type DevelopmentKeys } from './development-keys.js';
import { idIn } from './person.js';
import { once } from './form.js';
import { OAuthError } from './oauth-error.js';
import { DEVELOPMENT_ISSUER } from './trusted-issuer.js';

export interface LaunchContext {
  readonly patient?: string;
  readonly encounter?: string;
  readonly needPatientBanner?: boolean;
  readonly intent?: string;
}

export const LAUNCH_SECONDS = 300;
const AUDIENCE = 'urn:entitle-fhir:launch';

/** Reads patient, encounter, need_patient_banner and intent of a form. */
export function readLaunch(form: URLSearchParams): LaunchContext {
  const [patient, encounter, banner, intent] = [idIn(form, 'patient'), idIn(form, 'encounter'), once(form, 'need_patient_banner'), once(form, 'intent')];
  if (banner !== undefined && banner !== 'true' && banner !== 'false') throw new OAuthError('invalid_request', 'need_patient_banner must be true or false');
  // What opened the app shows whose record is open.
  return { needPatientBanner: banner === 'true', ...(patient !== undefined && { patient }), ...(encounter !== undefined && { encounter }), ...(intent !== undefined && { intent }) };
}

export function makeLaunch(context: LaunchContext, keys: DevelopmentKeys, now: number, id: string): Promise<string> {
  const at = Math.floor(now / 1000);
  return new SignJWT({ context }).setProtectedHeader({ alg: DEVELOPMENT_ALGORITHM }).setIssuer(DEVELOPMENT_ISSUER).setAudience(AUDIENCE).setIssuedAt(at).setExpirationTime(at + LAUNCH_SECONDS).setJti(id).sign(keys.privateKey);
}

/** Throws invalid_request for a handle that is not ours or too old. */
export async function openLaunch(handle: string, keys: DevelopmentKeys, now: number): Promise<LaunchContext> {
  try {
    const { payload } = await jwtVerify(handle, keys.publicKey, { algorithms: [DEVELOPMENT_ALGORITHM], issuer: DEVELOPMENT_ISSUER, audience: AUDIENCE, currentDate: new Date(now) });
    return payload['context'] as LaunchContext;
  } catch {
    throw new OAuthError('invalid_request', 'launch is not a handle of this server, or it is too old: open the app again');
  }
}
