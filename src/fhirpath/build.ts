// From the text that generate.ts wrote to functions. It holds names that generate.ts checked and JSON strings, nothing else of any expression.
import { compileFunction } from 'node:vm';
import type { CompiledPath } from './model.js';
import { RUNTIME } from './runtime.js';

/** `o`: the node; `r`: the resource it lies in. True, false, or something else for no answer. */
export type GeneratedTest = (o: object, r: object) => unknown;

export function buildPath(body: string): CompiledPath {
  return build(`(o, emit, r = o) => {\n${body}}`) as CompiledPath;
}

export function buildTest(body: string): GeneratedTest {
  return build(`(o, r) => {\n${body}}`) as GeneratedTest;
}

/** `constants`: by the names that the body has for them. */
export function buildVisit(body: string, constants: ReadonlyMap<string, unknown>): (o: object, s: unknown) => void {
  return build(`(o, s) => { const r = o;\n${body}}`, constants) as (o: object, s: unknown) => void;
}

function build(source: string, constants: ReadonlyMap<string, unknown> = new Map()): unknown {
  const make = compileFunction(`"use strict"; return ${source};`, [...Object.keys(RUNTIME), ...constants.keys()]) as (...values: readonly unknown[]) => unknown;
  return make(...Object.values(RUNTIME), ...constants.values());
}
