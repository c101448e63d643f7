// Runs the tour of the README against a server that is running on its default address, and writes what it answered into the README.
// `node scripts/tour.mjs --check` only says whether every step still answers (for the test).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const README = new URL('../README.md', import.meta.url);
const MARK = '@@@';

const text = readFileSync(README, 'utf8');
const tour = text.slice(text.indexOf('## A tour'), text.indexOf('## What it does\n'));
const blocks = [...tour.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]);
const base = process.env.TOUR_BASE;
// One shell for all blocks, as a person would type them.
const people = process.env.TOUR_PEOPLE;
const typed = (block) => (base ? block.replace(/^BASE=.*$/m, `BASE=${base}`) : block).replace(/^npm run -s demo$/m, people ? `npm run -s demo -- --patients ${people} 2> /dev/null` : '$&');
const script = blocks.map((block) => `${typed(block)}\necho '${MARK}'\n`).join('');
const answers = execFileSync('bash', ['-c', script], { cwd: ROOT, encoding: 'utf8' }).split(`${MARK}\n`).map((answer) => answer.trim());

const expected = [
  /^$|people/, /"code":"N"[\s\S]*"code":"B"/, /^201\n[\s\S]*"code":"Y"[\s\S]*"code":"F"/, /"name":"available","valueMoney":\{"value":\d+\.\d\d/,
  /^201\n[\s\S]*"code":"INSUFFICIENT_FUNDS"[\s\S]*\n\d{4}-\d\d-\d\d,commit,[^\n]*Walking frame/,
];
expected.forEach((pattern, step) => {
  if (!pattern.test(answers[step] ?? '')) throw new Error(`Step ${step + 1} of the tour answered: ${answers[step]}`);
});

if (!process.argv.includes('--check')) {
  let filled = text;
  for (const step of [2, 3, 4, 5]) {
    const block = `<!-- tour ${step} -->\n\`\`\`\n${answers[step - 1]}\n\`\`\`\n<!-- /tour ${step} -->`;
    filled = filled.replace(new RegExp(`<!-- tour ${step} -->(?:[\\s\\S]*?<!-- /tour ${step} -->)?`), () => block);
  }
  writeFileSync(README, filled);
}
