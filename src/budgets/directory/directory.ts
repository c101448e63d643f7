// Reading a List as a directory of what budgets can buy, and a HealthcareService as an entry of one. Pure; what is misshapen is as if absent.
import { asObject, asObjects, asText, codesOf, extensionsOf, referenceId } from '../../fhir/elements.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { DIRECTORY, DIRECTORY_OWNER, LIST_CODE, PRICE } from '../codes.js';

/** What marks a List is its code, and a HealthcareService that it names a directory; never their profiles (domain.md ruling 58). */
export const isDirectory = (list: Resource | undefined): boolean => list?.resourceType === 'List' && codesOf(list['code'], LIST_CODE).includes('phb-directory');
export const isEntry = (service: Resource | undefined): boolean => service?.resourceType === 'HealthcareService' && extensionsOf(service, DIRECTORY).length > 0;

/** Logical id of the Organization that keeps the directory. */
export const keeperOf = (list: Resource | undefined): string | undefined => referenceId(extensionsOf(list, DIRECTORY_OWNER)[0]?.['valueReference'], 'Organization');

/** Does it say who keeps it, be it only in words? */
export const namesKeeper = (list: Resource | undefined): boolean => extensionsOf(list, DIRECTORY_OWNER).length > 0;

/** Logical id of the Organization that provides the service. */
export const providerOf = (service: Resource | undefined): string | undefined => referenceId(service?.['providedBy'], 'Organization');

/** The directories that list the service, as references: `List/1`. */
export interface DirectoryLink {
  readonly reference: string | undefined;
  readonly path: string;
}

export function directoriesOf(service: Resource | undefined): DirectoryLink[] {
  return asObjects(service?.['extension']).flatMap((extension, index) => {
    if (extension['url'] !== DIRECTORY) return [];
    return [{ reference: asText(asObject(extension['valueReference'])?.['reference']), path: `HealthcareService.extension[${index}].valueReference` }];
  });
}

/** One ext-price: what a unit of the service costs, and when. */
export interface Price {
  /** Money as parsed: read it with readPence at `path`. */
  readonly amount: JsonObject | undefined;
  readonly path: string;
  readonly unit: string | undefined;
  /** effectivePeriod as written. */
  readonly start: string | undefined;
  readonly end: string | undefined;
}

export function pricesOf(service: Resource | undefined): Price[] {
  return asObjects(service?.['extension']).flatMap((extension, index) => {
    if (extension['url'] !== PRICE) return [];
    const parts = asObjects(extension['extension']);
    const part = (url: string): JsonObject | undefined => parts.find((one) => one['url'] === url);
    const period = asObject(part('effectivePeriod')?.['valuePeriod']);
    return [{
      amount: asObject(part('amount')?.['valueMoney']),
      path: `extension[${index}].extension[${parts.findIndex(({ url }) => url === 'amount')}].valueMoney`,
      unit: asText(part('unit')?.['valueCode']),
      start: asText(period?.['start']),
      end: asText(period?.['end']),
    }];
  });
}
