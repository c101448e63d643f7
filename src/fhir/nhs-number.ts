// NHS numbers: ten digits, the last of which checks the others. https://www.datadictionary.nhs.uk/attributes/nhs_number.html

export const NHS_NUMBER_SYSTEM = 'https://fhir.nhs.uk/Id/nhs-number';

const TEN_DIGITS = /^[0-9]{10}$/;

/** Exactly ten ASCII digits, no blanks, with a right check digit. 0000000000 passes the sum and was never anybody's. */
export function isNhsNumber(text: string): boolean {
  if (!TEN_DIGITS.test(text) || text === '0000000000') return false;
  let sum = 0;
  for (let at = 0; at < 9; at++) sum += (text.charCodeAt(at) - 0x30) * (10 - at);
  const check = 11 - (sum % 11);
  return check !== 10 && check % 11 === text.charCodeAt(9) - 0x30;
}
