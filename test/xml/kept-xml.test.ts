// The XML of metadata is made once for each text and layout.
import { keepXml } from '../../src/xml/kept-xml.js';

function counted() {
  const asked: string[] = [];
  return { asked, write: keepXml((json, layout) => `${layout?.pretty === true ? 'pretty' : 'plain'} ${asked.push(json)} ${json}`) };
}

test('a text that is asked for again is not made again', () => {
  const { asked, write } = counted();
  expect([write('a'), write('b'), write('a'), write('b', { pretty: false })]).toEqual(['plain 1 a', 'plain 2 b', 'plain 1 a', 'plain 2 b']);
  expect(asked).toEqual(['a', 'b']);
});

test('another layout of it is another text', () => {
  const { write } = counted();
  expect([write('a'), write('a', { pretty: true }), write('a'), write('a', { pretty: true })]).toEqual(['plain 1 a', 'pretty 2 a', 'plain 1 a', 'pretty 2 a']);
});

test('those of callers who invent hosts push each other out', () => {
  const { asked, write } = counted();
  for (let host = 0; host < 9; host += 1) write(`host ${host}`);
  write('host 8');
  expect(asked).toHaveLength(9);
  expect(write('host 0')).toBe('plain 10 host 0');
});
