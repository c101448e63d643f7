// Side doors of what shows parts of rows or many at once: _elements, $everything, files, $document and its like (domain.md 6.9).
import { assessed } from '../../domain/people.js';
import type { Answer } from '../../server.js';
import { alike, expectAllRead, get, idsOf, openDoors, said, server, tokenOf, world, type Bearer } from './doors.js';

openDoors();

describe('_elements and _summary', () => {
  test.each(['_elements=extension', '_elements=address,telecom,contact,identifier', '_summary=true', '_summary=data', '_summary=false', '_elements=*', '_summary=text'])('%s show no more than a plain read', async (how) => {
    await assessed(server, world.patients.ada, 'F', '2026-05-10');
    for (const path of [`Patient/${world.patients.ada}?${how}`, `Patient/${world.patients.ada}/_history?${how}`]) {
      expect((await get('admin', path.replace(how, '_summary=false'))).text).toMatch(/ext-chargeable-status/);
      expect((await get('commissioner', path)).text).not.toMatch(/ext-chargeable-status|City of ada|0113 496|local-ada/);
      expect((await get('ada', path)).text).not.toMatch(/ext-chargeable-status/);
      expect((await get('nominee', path)).text).not.toMatch(/ext-chargeable-status|City of ada|local-ada/);
    }
    expect((await get('commissioner', `Patient?_id=${world.patients.ada}&${how}`)).text).not.toMatch(/ext-chargeable-status|City of ada|local-ada/);
    expect((await get('isf', `Account/ada?${how}`)).text).not.toMatch(/line-own|line-other/);
  });
});

describe('$everything', () => {
  test('of a hidden patient is as of none, and of one that is seen has no hidden row', async () => {
    expect(await alike('stranger', world.patients.ada, (one) => get('stranger', `Patient/${one}/$everything`))).toBe(403);
    const { ada } = world.patients;
    const everything = idsOf(await get('coordinator', `Patient/${ada}/$everything?_count=500`));
    expect(everything).toEqual(expect.arrayContaining([`Patient/${ada}`, 'Account/ada']));
    for (const hidden of ['Observation/lab', 'Condition/ada', 'Flag/ada', 'Provenance/ada', 'List/problems', 'Observation/assessment']) expect([hidden, everything.includes(hidden)]).toEqual([hidden, false]);
    await expectAllRead('coordinator', '$everything', everything);
    for (const bearer of ['ada', 'commissioner', 'manager', 'nominee', 'ovm', 'supplier', 'practice'] as const) expect((await get(bearer, `Patient/${ada}/$everything`)).status).toBe(403);
  });
});

describe('Binary receipts', () => {
  const raw = (bearer: Bearer, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Response> => fetch(`${server.base}/${path}`, { method, headers: { authorization: `Bearer ${tokenOf(bearer)}`, accept: '*/*', ...headers } });

  test('are given, as a file or a resource, to nobody but those who see what cites them', async () => {
    const shown = await raw('admin', 'Binary/cited');
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'application/pdf']);
    expect((await raw('nominee', 'Binary/cited')).status).toBe(200);
    for (const [bearer, hidden, status] of [['nominee', 'mine', 404], ['bob', 'cited', 404], ['stranger', 'cited', 403], ['commissioner', 'mine', 404], ['provider', 'cited', 403], ['ovm', 'cited', 404]] as const) {
      for (const headers of [{}, { accept: 'application/fhir+json' }, { accept: 'application/fhir+xml', 'if-none-match': 'W/"1"' }] as const) {
        for (const [path, method] of [['', 'GET'], ['/_history/1', 'GET']] as const) {
          const [of, none] = [await raw(bearer, `Binary/${hidden}${path}`, headers, method), await raw(bearer, `Binary/never${path}`, headers, method)];
          expect([bearer, of.status, of.headers.get('etag'), of.headers.get('content-type')]).toEqual([bearer, status, null, none.headers.get('content-type')]);
          expect((await of.text()).replace(/"id":"[^"]*"|<id value="[^"]*"\/>/, '').replaceAll(hidden, 'X')).toBe((await none.text()).replace(/"id":"[^"]*"|<id value="[^"]*"\/>/, '').replaceAll('never', 'X'));
        }
      }
    }
  });
});

describe('$document, $graph, $lastn, $diff and $meta', () => {
  test('are an administrator\'s, and reach no further than the scopes of the token', async () => {
    const { ada } = world.patients;
    for (const bearer of ['ada', 'commissioner', 'coordinator', 'manager', 'ovm', 'supplier', 'practice', 'isf'] as const) {
      for (const path of ['Composition/of-ada/$document', `Patient/${ada}/$graph?graph=urn:around`, `Observation/$lastn?patient=${ada}`, `Patient/${ada}/$diff`, `Patient/${ada}/$meta`, '$meta', `$diff?from=Patient/${ada}&to=Patient/${world.patients.bob}`]) expect([bearer, path, (await get(bearer, path)).status]).toEqual([bearer, path, 403]);
    }
    const token = await server.token('admin', { scope: 'user/Patient.rs user/Composition.rs user/GraphDefinition.rs' });
    const ask = (path: string): Promise<Answer> => server.send('GET', path, { token });
    expect((await get('admin', `Patient/${ada}/$graph?graph=urn:around`)).text).toContain('HIV');
    expect((await ask(`Patient/${ada}/$graph?graph=urn:around`)).text).not.toMatch(/HIV|Observation\/lab/);
    expect((await get('admin', 'Composition/of-ada/$document')).text).toContain('HIV');
    expect((await ask('Composition/of-ada/$document')).text).not.toMatch(/HIV/);
    expect((await get('admin', `Observation/$lastn?patient=${ada}&max=9`)).text).toContain('HIV');
    expect((await ask(`Observation/$lastn?patient=${ada}&max=9`)).text).not.toContain('HIV');
    for (const path of ['Observation/lab/$diff?fromVersion=1', '$diff?from=Observation/lab&to=Observation/decision', 'Observation/lab/$meta', 'Observation/$meta', 'Observation/lab/$graph?graph=urn:around']) {
      const [of, none] = [await ask(path), await ask(path.replace('Observation/lab', 'Observation/never'))];
      expect([path, of.status >= 400, said(of, 'lab')]).toEqual([path, true, said(none, 'never')]);
    }
    await server.seed([{ resourceType: 'Flag', id: 'tagged', meta: { tag: [{ system: 'urn:secret', code: 'tag' }] }, status: 'active', code: { text: 'x' }, subject: { reference: `Patient/${ada}` } }]);
    expect((await get('admin', '$meta')).text).toContain('urn:secret');
    expect((await ask('$meta')).text).not.toContain('urn:secret');
  });
});
