// The side door of another client's token (domain.md 6.9).
import { askToken, assertion, exchange, keyPair, origin, registerClient, supplier, type KeyPair } from '../../api/client-fixture.js';
import { openDoors, server } from './doors.js';

openDoors();

describe('another client\'s token', () => {
  let keys: readonly KeyPair[];
  beforeAll(async () => {
    keys = await Promise.all(['one', 'two'].map((kid) => keyPair('ES384', kid)));
    for (const [index, name] of ['owner', 'rival'].entries()) await registerClient(server, name, supplier(keys[index] as KeyPair));
  });

  test('is told to be none, and is not revoked', async () => {
    const [key, other] = keys as [KeyPair, KeyPair];
    const { body: { access_token: token } } = await exchange(server, assertion(server, 'owner', key));
    const by = async (endpoint: string, of: string): Promise<Response> => fetch(`${origin(server)}/oauth2/${endpoint}`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: of, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await assertion(server, 'rival', other, { claims: { aud: `${origin(server)}/oauth2/${endpoint}` } }) }).toString(),
    });
    const [of, none] = [await by('introspect', token), await by('introspect', 'a.b.c')];
    expect([of.status, await of.text()]).toEqual([none.status, await none.text()]);
    const [revoked, nothing] = [await by('revoke', token), await by('revoke', 'a.b.c')];
    // RFC 7009 has the owner of another token told that it is not theirs; it is not revoked, and nothing is said of whose it is.
    expect([revoked.status, await revoked.text(), nothing.status]).toEqual([400, '{"error":"invalid_grant","error_description":"The token was given to another client"}', 200]);
    expect((await server.send('GET', 'Organization', { token })).status).not.toBe(401);
    expect((await askToken(server, { grant_type: 'refresh_token', refresh_token: token })).status).toBeGreaterThanOrEqual(400);
  });
});
