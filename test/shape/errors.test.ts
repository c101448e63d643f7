// The table of errors holds no row that nothing throws. That each row reaches a caller is shown by test/api/errors.test.ts, one request per row.
import { ERRORS } from '../../src/fhir/errors.js';
import { readSources } from './sources.js';

const texts = readSources('src').filter(({ path }) => path !== 'src/fhir/errors.ts').map(({ text }) => text);

test.each(Object.keys(ERRORS))('%s is thrown somewhere', (name) => {
  const call = new RegExp(`\\b[a-z]\\w*\\(\\s*'${name}'`);
  expect(texts.some((text) => call.test(text))).toBe(true);
});
