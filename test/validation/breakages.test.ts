// One rule broken at a time in an example that is otherwise fine: exactly one issue, with the right code, at the right place.
import type { IssueType } from '../../src/fhir/issue.js';
import type { JsonValue } from '../../src/fhir/resource.js';
import { change, example, validator } from './examples.js';

const GONE = undefined;
type Row = readonly [example: string, at: string, value: JsonValue | undefined, code: IssueType, expression: string];

function each(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    test.each(rows)('%s: %s = %j is %s at %s', (name, at, value, code, expression) => {
      const issues = validator.validate(change(example(name), at, value));
      expect(issues.map((issue) => [issue.severity, issue.code, issue.expression])).toEqual([['error', code, expression]]);
    });
  });
}

each('an element that does not exist is reported on its parent', [
  ['patient', 'birthdate', '1970-01-01', 'structure', 'Patient'],
  ['patient', 'name.1.surname', 'Windsor', 'structure', 'Patient.name[1]'],
  ['patient', 'contact.0.address.street', 'x', 'structure', 'Patient.contact[0].address'],
  ['patient', '_birthDate.value', 'x', 'structure', 'Patient.birthDate'],
  ['patient', '_name', [{ id: 'x' }], 'structure', 'Patient'],
  ['patient', '_id', { id: 'x' }, 'structure', 'Patient'],
  ['patient', 'text._div', { id: 'x' }, 'structure', 'Patient.text'],
  ['patient', '__proto__', { polluted: true }, 'structure', 'Patient'],
  ['patient', 'constructor', 'x', 'structure', 'Patient'],
  ['patient', 'hasOwnProperty', 'x', 'structure', 'Patient'],
  ['patient', 'toString', 'x', 'structure', 'Patient'],
  ['patient', '', 'x', 'structure', 'Patient'],
  ['patient', 'fhir_comments', ['x'], 'structure', 'Patient'],
  ['patient', 'name.0.resourceType', 'HumanName', 'structure', 'Patient.name[0]'],
  ['patient', 'value', 'x', 'structure', 'Patient'],
  ['observation', 'component.0.value', 1, 'structure', 'Observation.component[0]'],
  ['observation', 'component.0.valueAge', { value: 1 }, 'structure', 'Observation.component[0]'],
  ['claim', 'item.0.price', 1, 'structure', 'Claim.item[0]'],
  ['bundle', 'entry.2.resource.nmae', 'x', 'structure', 'Bundle.entry[2].resource'],
  ['bundle', 'contained', [{ resourceType: 'Patient' }], 'structure', 'Bundle'],
  ['parameters', 'text', { status: 'generated' }, 'structure', 'Parameters'],
  ['questionnaire', 'item.1.item.2.colour', 'x', 'structure', 'Questionnaire.item[1].item[2]'],
  ['medication-request', 'dosageInstruction.0.timing.repeat.often', 1, 'structure', 'MedicationRequest.dosageInstruction[0].timing.repeat'],
  ['medication-request', 'contained.0.name', 'x', 'structure', 'MedicationRequest.contained[0]'],
]);

each('a required element that is missing is reported on its parent', [
  ['observation', 'status', GONE, 'required', 'Observation'],
  ['observation', 'code', GONE, 'required', 'Observation'],
  ['observation', 'component.1.code', GONE, 'required', 'Observation.component[1]'],
  ['claim', 'created', GONE, 'required', 'Claim'],
  ['claim', 'insurance', GONE, 'required', 'Claim'],
  ['claim', 'insurance.0.focal', GONE, 'required', 'Claim.insurance[0]'],
  ['claim', 'item.0.productOrService', GONE, 'required', 'Claim.item[0]'],
  ['claim', 'diagnosis.0.diagnosisCodeableConcept', GONE, 'required', 'Claim.diagnosis[0]'],
  ['coverage', 'payor', GONE, 'required', 'Coverage'],
  ['account', 'coverage.0.coverage', GONE, 'required', 'Account.coverage[0]'],
  ['bundle', 'entry.5.request.url', GONE, 'required', 'Bundle.entry[5].request'],
  ['bundle', 'entry.7.resource.parameter.0.name', GONE, 'required', 'Bundle.entry[7].resource.parameter[0]'],
  ['medication-request', 'medicationReference', GONE, 'required', 'MedicationRequest'],
  ['questionnaire', 'item.1.item.0.linkId', GONE, 'required', 'Questionnaire.item[1].item[0]'],
  ['patient', 'text.div', GONE, 'required', 'Patient.text'],
  ['patient', '_birthDate.extension.0.url', GONE, 'required', 'Patient.birthDate.extension[0]'],
  ['explanation-of-benefit', 'total.1.amount', GONE, 'required', 'ExplanationOfBenefit.total[1]'],
  ['patient-siblings', 'name.0._family', { id: 'x' }, 'required', 'Patient.name[0].family'],
  ['encounter', 'class', GONE, 'required', 'Encounter'],
]);

each('JSON of the wrong kind', [
  ['patient', 'name', { family: 'x' }, 'structure', 'Patient.name'],
  ['patient', 'name.0', 'Peter', 'structure', 'Patient.name[0]'],
  ['patient', 'name.0', null, 'structure', 'Patient.name[0]'],
  ['patient', 'name', null, 'structure', 'Patient.name'],
  ['patient', 'name', [], 'structure', 'Patient.name'],
  ['patient', 'name.0', {}, 'structure', 'Patient.name[0]'],
  ['patient', 'name.0', [{ family: 'x' }], 'structure', 'Patient.name[0]'],
  ['patient', 'name.0.given', 'Peter', 'structure', 'Patient.name[0].given'],
  ['patient', 'name.0.given', [], 'structure', 'Patient.name[0].given'],
  ['patient', 'name.0.given.1', null, 'structure', 'Patient.name[0].given[1]'],
  ['patient', 'name.0.given.1', 7, 'structure', 'Patient.name[0].given[1]'],
  ['patient', 'name.0.family', ['x'], 'structure', 'Patient.name[0].family'],
  ['patient', 'gender', null, 'structure', 'Patient.gender'],
  ['patient', 'gender', ['male'], 'structure', 'Patient.gender'],
  ['patient', 'active', 'true', 'structure', 'Patient.active'],
  ['patient', 'managingOrganization', [{ reference: 'Organization/1' }], 'structure', 'Patient.managingOrganization'],
  ['patient', 'managingOrganization', 'Organization/1', 'structure', 'Patient.managingOrganization'],
  ['patient', 'managingOrganization', {}, 'structure', 'Patient.managingOrganization'],
  ['patient', 'telecom.1.rank', '1', 'structure', 'Patient.telecom[1].rank'],
  ['patient', '_birthDate', [{ id: 'x' }], 'structure', 'Patient.birthDate'],
  ['patient', '_birthDate', null, 'structure', 'Patient.birthDate'],
  ['patient', '_birthDate', {}, 'structure', 'Patient.birthDate'],
  ['patient', 'name.0._given', { id: 'x' }, 'structure', 'Patient.name[0].given'],
  ['patient', 'name.0._given', [], 'structure', 'Patient.name[0].given'],
  ['patient', 'name.0._given', [null, null, null], 'required', 'Patient.name[0].given[2]'],
  ['patient', 'name.0._given', [null, null, { id: 'x' }], 'required', 'Patient.name[0].given[2]'],
  ['patient', 'name.0._given', [null, { extension: [] }], 'structure', 'Patient.name[0].given[1].extension'],
  ['claim', 'item.0.net.value', '135.57', 'structure', 'Claim.item[0].net.value'],
  ['claim', 'item.0.careTeamSequence', 1, 'structure', 'Claim.item[0].careTeamSequence'],
]);

each('a choice may be given in one form only', [
  ['patient', 'deceasedDateTime', '2020', 'structure', 'Patient.deceased.ofType(dateTime)'],
  ['patient', '_deceasedDateTime', { extension: [{ url: 'http://x.org', valueBoolean: true }] }, 'structure', 'Patient.deceased.ofType(dateTime)'],
  ['observation', 'component.0.valueString', '107', 'structure', 'Observation.component[0].value.ofType(string)'],
  ['observation', 'component.0.valueQuantity.value', 'x', 'structure', 'Observation.component[0].value.ofType(Quantity).value'],
  ['medication-request', 'medicationCodeableConcept', { text: 'x' }, 'structure', 'MedicationRequest.medication.ofType(CodeableConcept)'],
]);

each('a primitive that is none', [
  ['patient', 'id', 'with space', 'value', 'Patient.id'],
  ['patient', 'id', 'a'.repeat(65), 'value', 'Patient.id'],
  ['patient', 'id', '', 'value', 'Patient.id'],
  ['bundle', 'entry.2.resource.id', 'a_b', 'value', 'Bundle.entry[2].resource.id'],
  ['patient', 'birthDate', '1974-13-25', 'value', 'Patient.birthDate'],
  ['patient', 'birthDate', '2023-02-29', 'value', 'Patient.birthDate'],
  ['patient', 'birthDate', '1900-02-29', 'value', 'Patient.birthDate'],
  ['patient', 'birthDate', '1974-12-25T10:00:00Z', 'value', 'Patient.birthDate'],
  ['patient', 'birthDate', '25/12/1974', 'value', 'Patient.birthDate'],
  ['patient', 'birthDate', '0000', 'value', 'Patient.birthDate'],
  ['bundle', 'entry.4.resource.birthDate', '1974-4-1', 'value', 'Bundle.entry[4].resource.birthDate'],
  ['patient', 'contact.0.period.start', '2012-04-31', 'value', 'Patient.contact[0].period.start'],
  ['observation', 'effectiveDateTime', '2012-09-17T10:00Z', 'value', 'Observation.effective.ofType(dateTime)'],
  ['observation', 'effectiveDateTime', '2012-09-17T10:00:00', 'value', 'Observation.effective.ofType(dateTime)'],
  ['observation', 'effectiveDateTime', '2012-09-17T24:00:00Z', 'value', 'Observation.effective.ofType(dateTime)'],
  ['observation', 'effectiveDateTime', '2012-09-17T10:00:00+14:30', 'value', 'Observation.effective.ofType(dateTime)'],
  ['bundle', 'meta.lastUpdated', '2014-08-18', 'value', 'Bundle.meta.lastUpdated'],
  ['bundle', 'meta.lastUpdated', '2014-08-18T01:43:30.Z', 'value', 'Bundle.meta.lastUpdated'],
  ['observation', 'valueTime', '25:00:00', 'value', 'Observation.value.ofType(time)'],
  ['patient', 'name.0.family', '', 'value', 'Patient.name[0].family'],
  ['patient', 'name.0.given.0', 'Pe\u0000ter', 'value', 'Patient.name[0].given[0]'],
  ['patient', 'identifier.0.system', 'urn:oid: 1.2', 'value', 'Patient.identifier[0].system'],
  ['patient', 'identifier.0.system', 'oid:1.2.3', 'value', 'Patient.identifier[0].system'],
  ['observation', 'meta.profile.0', '', 'value', 'Observation.meta.profile[0]'],
  ['observation', 'code.coding.0.code', ' 85354-9', 'value', 'Observation.code.coding[0].code'],
  ['observation', 'code.coding.0.code', 'two  spaces', 'value', 'Observation.code.coding[0].code'],
  ['claim', 'item.0.sequence', 0, 'value', 'Claim.item[0].sequence'],
  ['claim', 'item.0.sequence', 1.5, 'value', 'Claim.item[0].sequence'],
  ['claim', 'item.0.careTeamSequence.0', -1, 'value', 'Claim.item[0].careTeamSequence[0]'],
  ['observation', 'valueInteger', 2147483648, 'value', 'Observation.value.ofType(integer)'],
  ['parameters', 'parameter.2.part.1.valueUnsignedInt', -1, 'value', 'Parameters.parameter[2].part[1].value.ofType(unsignedInt)'],
  ['parameters', 'parameter.0.valueString', '', 'value', 'Parameters.parameter[0].value.ofType(string)'],
  ['parameters', 'parameter.2.part.0.valueInstant', '2023-02-29T12:00:00Z', 'value', 'Parameters.parameter[2].part[0].value.ofType(instant)'],
  ['consent', 'sourceAttachment.data', 'abc', 'value', 'Consent.source.ofType(Attachment).data'],
  ['consent', 'sourceAttachment.data', 'ab=c', 'value', 'Consent.source.ofType(Attachment).data'],
  ['consent', 'sourceAttachment.size', -1, 'value', 'Consent.source.ofType(Attachment).size'],
]);

each('a code outside a required value set', [
  ['patient', 'gender', 'femail', 'code-invalid', 'Patient.gender'],
  ['patient', 'gender', 'Male', 'code-invalid', 'Patient.gender'],
  ['patient', 'contact.0.gender', 'F', 'code-invalid', 'Patient.contact[0].gender'],
  ['patient', 'name.0.use', 'main', 'code-invalid', 'Patient.name[0].use'],
  ['patient', 'gender', ' male', 'value', 'Patient.gender'],
  ['patient', 'gender', 1, 'structure', 'Patient.gender'],
  ['patient', 'text.status', 'written', 'code-invalid', 'Patient.text.status'],
  ['observation', 'status', 'done', 'code-invalid', 'Observation.status'],
  ['claim', 'use', 'bill', 'code-invalid', 'Claim.use'],
  ['questionnaire', 'subjectType.0', 'Person1', 'code-invalid', 'Questionnaire.subjectType[0]'],
  ['questionnaire', 'item.0.type', 'yesno', 'code-invalid', 'Questionnaire.item[0].type'],
  ['task', 'intent', 'wish', 'code-invalid', 'Task.intent'],
  ['bundle', 'entry.0.request.method', 'post', 'code-invalid', 'Bundle.entry[0].request.method'],
  ['bundle', 'entry.0.resource.gender', 'm', 'code-invalid', 'Bundle.entry[0].resource.gender'],
  ['condition', 'clinicalStatus.coding.0.code', 'alive', 'code-invalid', 'Condition.clinicalStatus'],
  ['condition', 'clinicalStatus.coding.0.system', 'http://example.org/other', 'code-invalid', 'Condition.clinicalStatus'],
  ['condition', 'clinicalStatus.coding.0.system', GONE, 'code-invalid', 'Condition.clinicalStatus'],
  ['condition', 'clinicalStatus', { text: 'Active' }, 'code-invalid', 'Condition.clinicalStatus'],
  ['medication-request', 'dosageInstruction.0.timing.repeat.periodUnit', 'hours', 'code-invalid', 'MedicationRequest.dosageInstruction[0].timing.repeat.periodUnit'],
]);

each('resources within resources, extensions, references', [
  ['bundle', 'entry.0.resource.resourceType', 'Patients', 'structure', 'Bundle.entry[0].resource'],
  ['bundle', 'entry.0.resource.resourceType', GONE, 'structure', 'Bundle.entry[0].resource'],
  ['bundle', 'entry.0.resource.resourceType', 'Resource', 'structure', 'Bundle.entry[0].resource'],
  ['bundle', 'entry.0.resource', [], 'structure', 'Bundle.entry[0].resource'],
  ['parameters', 'parameter.1.resource.resourceType', 'constructor', 'structure', 'Parameters.parameter[1].resource'],
  ['parameters', 'parameter.1.resource.birthDate', 'x', 'value', 'Parameters.parameter[1].resource.birthDate'],
  ['patient-siblings', 'contained.0.resourceType', 'HumanName', 'structure', 'Patient.contained[0]'],
  ['patient-siblings', 'contained.0.contained', [{ resourceType: 'Organization', name: 'x' }], 'invariant', 'Patient.contained[0]'],
  ['patient', '_birthDate.extension.0.valueDateTime', GONE, 'invariant', 'Patient.birthDate.extension[0]'],
  ['patient', '_birthDate.extension.0.extension', [{ url: 'x', valueString: 'x' }], 'invariant', 'Patient.birthDate.extension[0]'],
  ['patient', '_birthDate.extension.0.valueString', 'x', 'structure', 'Patient.birthDate.extension[0].value.ofType(string)'],
  ['patient', '_birthDate.extension.0._url', { id: 'x' }, 'structure', 'Patient.birthDate.extension[0]'],
  ['patient', 'managingOrganization.reference', 'Practitioner/1', 'structure', 'Patient.managingOrganization'],
  ['patient', 'managingOrganization', { type: 'Device', display: 'x' }, 'structure', 'Patient.managingOrganization'],
  ['claim', 'patient.reference', 'https://example.org/fhir/Group/1/_history/2', 'structure', 'Claim.patient'],
  ['claim', 'patient.reference', 'Group/1#part', 'structure', 'Claim.patient'],
  ['claim', 'patient.type', 'Group', 'structure', 'Claim.patient'],
  ['coverage', 'payor.0.reference', 'Device/1', 'structure', 'Coverage.payor[0]'],
]);
