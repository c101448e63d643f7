// What a page says where it would have held more included resources than are sent at once.
import type { Issue } from '../fhir/issue.js';

export const includesCut = (most: number): Issue => ({
  severity: 'warning',
  code: 'too-costly',
  text: `Only the first ${most} included resources are here: ask for fewer matches a page, or search for the others by themselves`,
  expression: '_include',
});
