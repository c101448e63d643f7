// The refusals of the authorization server, as RFC 6749 sections 4.1.2.1 and 5.2 give them.

export type OAuthErrorCode =
  | 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'unauthorized_client' | 'unsupported_grant_type' | 'invalid_scope' | 'temporarily_unavailable'
  // RFC 6749 section 4.1.2.1
  | 'access_denied' | 'unsupported_response_type';

/** `message` is the error_description: what is wrong and what to do. */
export class OAuthError extends Error {
  constructor(
    readonly code: OAuthErrorCode,
    message: string,
  ) {
    super(message);
  }

  get status(): number {
    if (this.code === 'invalid_client') return 401;
    return this.code === 'temporarily_unavailable' ? 503 : 400;
  }
}
