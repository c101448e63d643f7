// Issues as an OperationOutcome's JSON text. https://hl7.org/fhir/R4/operationoutcome.html
import type { Issue } from './issue.js';

const MOST_ISSUES = 100;

/** Where HL7's validator puts a place in the source. */
const LINE = 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line';
const COLUMN = 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col';

/** The first hundred issues in order; one more says how many were left out. An empty list is told as `all is well`. */
export function outcomeText(issues: readonly Issue[], options: { readonly id?: string } = {}): string {
  const shown = issues.length === 0 ? [ALL_WELL] : issues.slice(0, MOST_ISSUES);
  const issue = shown.map(issueJson);
  if (issues.length > MOST_ISSUES) issue.push(issueJson(leftOut(issues.length - MOST_ISSUES)));
  return JSON.stringify({ resourceType: 'OperationOutcome', id: options.id, issue });
}

/** An outcome must hold an issue. */
const ALL_WELL: Issue = { severity: 'information', code: 'informational', text: 'All is well' };

function leftOut(count: number): Issue {
  const text = count === 1 ? 'One further issue was found and is not listed' : `${count} further issues were found and are not listed`;
  return { severity: 'information', code: 'informational', text };
}

function issueJson({ severity, code, text, coding, expression, diagnostics, line, column }: Issue): object {
  const place = [...integer(LINE, line), ...integer(COLUMN, column)];
  return {
    ...(place.length > 0 && { extension: place }),
    severity,
    code,
    details: { ...(coding && { coding: [coding] }), text },
    ...(diagnostics !== undefined && { diagnostics }),
    ...(expression !== undefined && { expression: [expression] }),
  };
}

function integer(url: string, valueInteger: number | undefined): object[] {
  return valueInteger === undefined ? [] : [{ url, valueInteger }];
}
