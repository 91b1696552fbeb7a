// Generated documentation equals what the code says; UPDATE_DOCS=1 rewrites it.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dropReasonTable } from '../src/abi/drop-reasons.ts';
import { BENCH_ISSUE_CODES } from '../src/bench/topology.ts';
import { CAPTURE_ISSUE_CODES } from '../src/control/capture/issue-codes.ts';
import { INPUT_ISSUE_CODES } from '../src/control/input/issue-list.ts';
import { VALIDATE_ISSUE_CODES } from '../src/control/validate/codes.ts';
import { CHANGE_ISSUE_CODES } from '../src/control/change/codes.ts';
import { CONFORMANCE_ISSUE_CODES } from '../src/conformance/codes.ts';
import { SCENARIO_ISSUE_CODES } from '../src/scenario/codes.ts';

const DROP_REASONS = `# Drop reasons

Every packet that the fabric drops has exactly one of these reasons. They appear in counters, in \`vnetem explain\`, in scenario
expectations (\`reason: NSG_DENY\`) and in the comments of captures (\`frame.comment contains "NSG_DENY"\`). The stage is what \`at:\` in an
expectation names (\`at: web:subnetNsg\`). Generated from \`src/abi/drop-reasons.ts\`; a test keeps the two equal.

| code | name | stage | meaning | rule |
| --- | --- | --- | --- | --- |
${dropReasonTable()}
`;

function section(title: string, codes: Readonly<Record<string, string>>): string {
  const rows = Object.entries(codes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `## ${title}\n\n| code | meaning |\n| --- | --- |\n${rows.map(([code, text]) => `| \`${code}\` | ${text} |`).join('\n')}\n`;
}

const ISSUES = `# Issue codes

Everything that can be wrong with an input has a stable code. Messages carry file, line and column, what was expected and found, and a hint; all
problems are reported at once, and the exit status is 2 when one of them is an error. Generated from the code; a test keeps the two equal.

${[
  section('Reading networks', INPUT_ISSUE_CODES),
  section('Validating networks', VALIDATE_ISSUE_CODES),
  section('Changing a running network', CHANGE_ISSUE_CODES),
  section('Scenarios', SCENARIO_ISSUE_CODES),
  section('Captures', CAPTURE_ISSUE_CODES),
  section('Conformance cases', CONFORMANCE_ISSUE_CODES),
  section('Benchmarks', BENCH_ISSUE_CODES),
].join('\n')}`;

test.each([
  ['docs/drop-reasons.md', DROP_REASONS],
  ['docs/issues.md', ISSUES],
])('%s says what the code says', (file, text) => {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('every command that the README names exists, and every relative link leads somewhere', () => {
  const readme = readFileSync('README.md', 'utf8');
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) expect(() => readFileSync(link, 'utf8'), link).not.toThrow(/ENOENT/);
  const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }).scripts;
  for (const [, name] of readme.matchAll(/npm (?:run )?(start|test|bench|golden|check)\b/g))
    expect(scripts).toHaveProperty(name!);
});
