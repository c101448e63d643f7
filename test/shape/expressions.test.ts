// No regular expression of the source takes more than linear time, so that no text that somebody sends can hold the server: each is run against
// long runs of every sort of character, behind whatever it may begin with. https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS
import { createContext, Script } from 'node:vm';
import ts from 'typescript';
import { readSources, type Source } from './sources.js';

interface Found {
  readonly file: string;
  readonly text: string;
}

/** Without a repeat that has no end there is nothing to run away. */
const UNBOUNDED = /[+*]|\{\d+,\}/;
const RUNS = [...'aA0 \t"\'/\\.-_:,()[]{}<>=&%|$*+?#@!;~^\n'.split(''), 'aA', 'a.', 'a-', 'a,', '0.', '\\"', '""', ' ,', 'a:', 'a/', '(a', ' a', '; ', '/*', 'a="b" '];
const BEGINNINGS = ['', '"', 'A', 'a', '1', '(', '<', '/', 'Patient', '"a', 'W/"', ':'];
/** What they read is a setting, or a pattern of 2,000 characters at most. */
const NO_CLIENTS = ['src/config.ts', 'src/own-server.ts', 'src/terminology/remote.ts', 'src/fhirpath/guarded-regex.ts'];
const SHORT = 2_000;
const LONG = 20_000;
/** CPU, not time by the clock: others may be at work. */
const SUSPECT_MS = 1;
const MOST_MS = 80;

function expressionsIn({ path: file, text }: Pick<Source, 'path' | 'text'>): Found[] {
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.RegularExpressionLiteral) found.push({ file, text: node.getText(tree) });
    ts.forEachChild(node, visit);
  };
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  visit(tree);
  return found;
}

const room = createContext({});
const run = new Script('expression.test(text)');

function cpuMs(expression: RegExp, text: string): number {
  expression.lastIndex = 0;
  Object.assign(room, { expression, text });
  const before = process.cpuUsage();
  try {
    run.runInContext(room, { timeout: 1_000 });
  } catch {
    return Infinity;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Undefined where it stays within its time. The best of three, since collecting garbage counts as well. */
function holding(text: string): string | undefined {
  const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  if (!UNBOUNDED.test(source)) return undefined;
  const expression = new RegExp(source, flags.replace('g', ''));
  for (const beginning of BEGINNINGS) {
    for (const piece of RUNS) {
      const sent = (length: number): string => `${beginning}${piece.repeat(length / piece.length)}\0`;
      if (cpuMs(expression, sent(SHORT)) < SUSPECT_MS) continue;
      const long = sent(LONG);
      if (Math.min(...[1, 2, 3].map(() => cpuMs(expression, long))) > MOST_MS) return JSON.stringify([beginning, piece]);
    }
  }
  return undefined;
}

test('a run-away expression is found', () => {
  for (const bad of ['/^(a+)+$/', '/\\s+$/']) expect([bad, holding(bad)]).toEqual([bad, expect.any(String)]);
  expect(holding('/^[a-z]+$/')).toBeUndefined();
});

test('none of the source runs away', () => {
  const found = readSources('src').filter(({ path }) => !NO_CLIENTS.includes(path)).flatMap(expressionsIn);
  expect(found.length).toBeGreaterThan(200);
  expect(found.flatMap(({ file, text }) => (holding(text) === undefined ? [] : [`${file}: ${text}`]))).toEqual([]);
});
