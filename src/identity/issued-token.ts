// What the token endpoint is asked from where, and what it answers. https://hl7.org/fhir/smart-app-launch/app-launch.html#response-5

/** Where a form came to, and by which certificate. */
export interface TokenPlace {
  /** The only audience of an assertion. */
  readonly tokenUrl: string;
  readonly issuer: string;
  /** The FHIR service. */
  readonly base: string;
  /** SHA-256 of the client's certificate in base64url, where it showed one that is trusted. */
  readonly certificate: string | undefined;
}

/** https://hl7.org/fhir/smart-app-launch/app-launch.html#response-5 */
export interface IssuedToken {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly patient?: string;
  readonly encounter?: string;
  readonly need_patient_banner?: boolean;
  readonly intent?: string;
}
