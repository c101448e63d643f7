// A hospital's system, small and whole: what it takes to show and code the chargeable status of its patients with nothing but this API.
// It knows the base of the service and a token, discovers the rest, and keeps its own list of patients true by notifications.
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, flattenedVerify } from 'jose';

const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
const CATEGORY_STATUS = 'https://fhir.nhs.uk/spine-category-status-1';
const TO_DATA_SET = 'https://fhir.entitle.example/ConceptMap/spine-category-to-charging-category';
const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

export interface Banner {
  readonly text: string;
  /** OVERSEAS VISITOR CHARGING CATEGORY of the commissioning data set. */
  readonly chargingCategory: string;
}

/** What is shown above the record: the words of the national viewer. */
const BANNERS: Readonly<Record<string, string>> = {
  Y: 'Chargeable for NHS services',
  N: 'Access to free NHS services subject to exceptions',
  U: 'Chargeable status not known: ask before care that can wait',
};

export class HospitalSystem {
  readonly banners = new Map<string, Banner>();
  readonly eventNumbers: number[] = [];
  private readonly receiver: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.notified(String(request.headers['x-entitle-signature']), Buffer.concat(chunks)).then(() => response.writeHead(200).end(), () => response.writeHead(500).end());
    });
  });
  private readonly keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(private readonly base: string, private readonly token: string) {
    this.keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', base));
  }

  /** Throws where the service lacks what a hospital needs of it. */
  async discover(): Promise<void> {
    const { rest: [rest], fhirVersion } = await this.ask('GET', 'metadata');
    const has = (type: string, test: (resource: any) => boolean): boolean => rest.resource.some((resource: any) => resource.type === type && test(resource));
    if (fhirVersion !== '4.0.1') throw new Error(`This is FHIR ${fhirVersion}`);
    if (!has('Patient', ({ operation = [] }) => operation.some(({ name }: any) => name === 'chargeable-status'))) throw new Error('There is no $chargeable-status');
    if (!has('ConceptMap', ({ operation = [] }) => operation.some(({ name }: any) => name === 'translate'))) throw new Error('There is no $translate');
    if (!has('Subscription', ({ interaction }) => interaction.some(({ code }: any) => code === 'create'))) throw new Error('There are no Subscriptions');
  }

  async register(number: string, family: string): Promise<string> {
    const { id } = await this.ask('POST', 'Patient', { resourceType: 'Patient', identifier: [{ system: NHS, value: number }], name: [{ family }], gender: 'unknown', birthDate: '1990-01-01' });
    return id;
  }

  /** Before treatment. */
  async check(number: string): Promise<Banner> {
    const { parameter } = await this.ask('POST', 'Patient/$chargeable-status', { resourceType: 'Parameters', parameter: [{ name: 'identifier', valueIdentifier: { system: NHS, value: number } }] });
    const code = (name: string): string | undefined => parameter.find((one: any) => one.name === name)?.valueCoding?.code;
    return this.show(number, code('basic') ?? 'U', code('category'));
  }

  async subscribe(topic: string): Promise<string> {
    this.receiver.listen(0, '127.0.0.1');
    await once(this.receiver, 'listening');
    const { port } = this.receiver.address() as AddressInfo;
    const { id } = await this.ask('POST', 'Subscription', {
      resourceType: 'Subscription', status: 'requested', reason: 'Banners of our patients', criteria: topic,
      channel: { type: 'rest-hook', endpoint: `http://127.0.0.1:${port}/`, payload: 'application/fhir+json', _payload: { extension: [{ url: `${BACKPORT}/backport-payload-content`, valueCode: 'full-resource' }] } },
    });
    return id;
  }

  statusOf(subscription: string): Promise<string> {
    return this.ask('GET', `Subscription/${subscription}`).then(({ status }) => status);
  }

  async close(): Promise<void> {
    this.receiver.closeAllConnections();
    this.receiver.close();
    await once(this.receiver, 'close');
  }

  /** Nothing is believed that the service has not signed. */
  private async notified(jws: string, body: Buffer): Promise<void> {
    const [header = '', , signature = ''] = jws.split('.');
    await flattenedVerify({ protected: header, payload: body.toString('base64url'), signature }, this.keys);
    const { entry: [status, ...changes] } = JSON.parse(body.toString('utf8'));
    for (const { part = [] } of status.resource.parameter.filter(({ name }: any) => name === 'notification-event')) this.eventNumbers.push(Number(part[0].valueString));
    for (const { resource } of changes) {
      const code = (component: string): string | undefined => resource.component.find((one: any) => one.code.coding[0].code === component)?.valueCodeableConcept.coding[0].code;
      await this.show(resource.subject.identifier.value, code('BASIC_CHARGEABLE_STATUS') ?? 'U', code('CATEGORY_CHARGEABLE_STATUS'));
    }
  }

  private async show(number: string, basic: string, category: string | undefined): Promise<Banner> {
    const banner = { text: BANNERS[basic] ?? '', chargingCategory: category === undefined ? '9' : await this.toDataSet(category) };
    this.banners.set(number, banner);
    return banner;
  }

  private async toDataSet(category: string): Promise<string> {
    const query = new URLSearchParams({ url: TO_DATA_SET, system: CATEGORY_STATUS, code: category });
    const { parameter } = await this.ask('GET', `ConceptMap/$translate?${query.toString()}`);
    return parameter.find(({ name }: any) => name === 'match').part.find(({ name }: any) => name === 'concept').valueCoding.code;
  }

  private async ask(method: string, path: string, body?: object): Promise<any> {
    const headers = { authorization: `Bearer ${this.token}`, accept: 'application/fhir+json', ...(body && { 'content-type': 'application/fhir+json' }) };
    const response = await fetch(`${this.base}/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const answer = await response.json() as any;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }
}
