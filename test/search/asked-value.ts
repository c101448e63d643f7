// What a client would write to search for a value that stands in a resource: by the datatype alone, and nothing of how it is indexed.
// https://hl7.org/fhir/R4/search.html#ptypes
import type { SearchType } from '../../src/definitions/model.js';

type Members = Record<string, any>;

const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&');
const coded = (system: string | undefined, code: string | undefined): string | undefined => (code === undefined ? undefined : `${escaped(system ?? '')}|${escaped(code)}`);

const TOKENS: Readonly<Record<string, (value: Members) => string | undefined>> = {
  Coding: ({ system, code }) => coded(system, code),
  CodeableConcept: ({ coding }) => coded(coding?.[0]?.system, coding?.[0]?.code),
  Identifier: ({ system, value }) => coded(system, value),
  ContactPoint: ({ value }) => value && escaped(value),
  Reference: ({ reference }) => reference && escaped(reference),
};

const TEXTS: Readonly<Record<string, (value: Members) => string | undefined>> = {
  HumanName: ({ family, given, text }) => family ?? given?.[0] ?? text,
  Address: ({ city, line, text, country }) => city ?? line?.[0] ?? text ?? country,
};

function date(value: unknown): string | undefined {
  if (typeof value === 'string') return /^\d{4}/.test(value) ? value : undefined;
  const { start, end, event, repeat } = value as Members;
  if (event?.[0] !== undefined) return `ap${event[0]}`;
  const bounds = repeat === undefined ? { start, end } : (repeat.boundsPeriod ?? {});
  return bounds.start === undefined ? bounds.end && `le${bounds.end}` : `ge${bounds.start}`;
}

function quantity(type: string, value: Members): string | undefined {
  if (type === 'Range') return value.low?.value === undefined ? value.high?.value && `le${value.high.value}` : `ge${value.low.value}`;
  if (value.value === undefined || typeof value.value !== 'number') return undefined;
  const code = value.code ?? value.currency;
  return code === undefined ? String(value.value) : `${value.value}|${escaped(value.system ?? (value.currency === undefined ? '' : 'urn:iso:std:iso:4217'))}|${escaped(code)}`;
}

/** Undefined for a value that can't be searched for: an empty one, a fragment, a concept without a code. */
export function askedValue(kind: SearchType, type: string, value: unknown): string | undefined {
  if (value === null || value === '') return undefined;
  const members = (typeof value === 'object' ? value : {}) as Members;
  switch (kind) {
    case 'string': {
      const text = typeof value === 'string' ? value : TEXTS[type]?.(members);
      return text === undefined || text.trim() === '' ? undefined : escaped(Array.from(text).slice(0, 40).join(''));
    }
    case 'token': return typeof value === 'object' ? TOKENS[type]?.(members) : escaped(typeof value === 'string' ? value : JSON.stringify(value));
    case 'reference': {
      const target: unknown = typeof value === 'string' ? value : members.resourceType === undefined ? members.reference : members.id && `${members.resourceType}/${members.id}`;
      // A canonical that is no URL reads as an id.
      return typeof target !== 'string' || !/[/:]/.test(target) || target.startsWith('#') ? undefined : target.includes('|') ? target : escaped(target);
    }
    case 'uri': return typeof value === 'string' ? value : undefined;
    case 'date': return date(value);
    case 'number': return typeof value === 'number' ? String(value) : quantity('Range', members);
    case 'quantity': return quantity(type, members);
    case 'special': return members.latitude === undefined ? undefined : `${members.latitude}|${members.longitude}|1|km`;
    default: return undefined;
  }
}
