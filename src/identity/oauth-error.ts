// The refusals of the token endpoint, as RFC 6749 section 5.2 gives them.

export type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'unauthorized_client' | 'unsupported_grant_type' | 'invalid_scope' | 'temporarily_unavailable';

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
