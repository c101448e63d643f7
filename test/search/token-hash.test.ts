import fc from 'fast-check';
import { referenceHash, referenceSalt, tokenHasher } from '../../src/search/token-hash.js';

const code = tokenHasher('code');

test('every form of a value has its own token', () => {
  const tokens = [
    code.exact('s', 'c'), code.anySystem('c'), code.system('s'), code.noSystem('c'), code.ofType('s', 't', 'c'), code.exact('', 'c'), code.exact('c', 's'), code.system('c'), code.anySystem('s'),
  ];
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('every parameter has its own tokens', () => {
  expect(tokenHasher('category').exact('s', 'c')).not.toBe(code.exact('s', 'c'));
  expect(tokenHasher('code:identifier').anySystem('c')).not.toBe(code.anySystem('c'));
  expect(referenceSalt('subject')).not.toBe(referenceSalt('patient'));
});

test('the line between system and code counts, whatever stands on either side', () => {
  fc.assert(fc.property(fc.string(), fc.string(), fc.nat(), (system, value, cut) => {
    const whole = system + value;
    const at = cut % (whole.length + 1);
    fc.pre(at !== system.length);
    expect(code.exact(whole.slice(0, at), whole.slice(at))).not.toBe(code.exact(system, value));
    expect(code.ofType(whole.slice(0, at), whole.slice(at), 'x')).not.toBe(code.ofType(system, value, 'x'));
  }));
});

test('tokens are signed and of 64 bits, and stay what they are from release to release', () => {
  expect(code.exact('http://loinc.org', '8480-6')).toMatchInlineSnapshot(`-8170952232059009120n`);
  expect(code.anySystem('8480-6')).toMatchInlineSnapshot(`9167318699474448486n`);
  expect(referenceHash('Patient/1')).toMatchInlineSnapshot(`7648264714925412240n`);
  expect(referenceSalt('subject')).toMatchInlineSnapshot(`1695589851797646312n`);
  fc.assert(fc.property(fc.string(), (text) => {
    const token = code.anySystem(text);
    expect(BigInt.asIntN(64, token)).toBe(token);
  }));
});

test('a hundred thousand values and their references do not meet, in all 64 bits and about evenly in each half', () => {
  const tokens = new Set<bigint>();
  const high = new Set<bigint>();
  for (let value = 0; value < 50_000; value += 1) {
    tokens.add(code.anySystem(String(value)));
    tokens.add(referenceHash(`Patient/${value}`));
    high.add(BigInt.asIntN(32, referenceHash(`Patient/${value}`) >> 32n));
  }
  expect(tokens.size).toBe(100_000);
  expect(high.size).toBeGreaterThan(49_990);
});
