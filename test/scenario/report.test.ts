import { expect, test } from 'vitest';
import { junitXml } from '../../src/scenario/junit.ts';
import { reportLines, stepLines } from '../../src/scenario/report.ts';
import { APP_AND_SQLMI, run } from './fixtures.ts';

const STEPS = [
  { connect: { from: 'app', to: 'db:80' }, name: 'web <& "db">', expect: { result: 'established' } },
  { connect: { from: 'app', to: 'db:22' }, expect: { result: 'established' } },
  { send: { on: 'gone', bytes: 100 }, level: 'warning' },
  { close: 'gone' },
];

async function someRun() {
  return await run(APP_AND_SQLMI, [{ connect: { from: 'app', to: 'db:22', keep: 'gone' } }, ...STEPS]);
}

test('a step is one line when it passes, and tells everything when it does not', async () => {
  const { steps } = await someRun();
  expect(stepLines(steps[1]!)).toEqual(['ok   connect app > db:80  (web <& "db">): established, delivered to db']);
  const failed = stepLines(steps[2]!);
  expect(failed[0]).toMatch(/^FAIL connect app > db:22: dropped, dropped NSG_DENY nsg-app\/DenySsh/);
  expect(failed[1]).toMatch(/^ {5}at scenario\.yaml:\d+:\d+$/);
  expect(failed[2]).toBe('     result: expected established');
  expect(failed[3]).toBe('                  got dropped');
  expect(failed.join('\n')).toContain('| packet ');
  expect(stepLines(steps[3]!)[0]).toMatch(/^warn /);
});

test('the report ends with totals that name the drops', async () => {
  const lines = reportLines(await someRun());
  expect(lines[0]).toBe('# test');
  expect(lines.some((line) => /^FAILED: 2 of 5 steps passed, 1 with warnings; .* inline, seed 1$/.test(line))).toBe(
    true,
  );
  expect(lines.at(-1)).toMatch(/^packets: \d+ received, .*dropped 2 NSG_DENY/);
});

test('JUnit XML has a suite per scenario and a case per step, with every text escaped', async () => {
  const xml = junitXml([await someRun()]);
  expect(xml.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="5" failures="1" errors="1"')).toBe(
    true,
  );
  expect(xml.match(/<testcase /g)).toHaveLength(5);
  expect(xml).toContain('name="2. web &lt;&amp; &quot;db&quot;&gt;"');
  expect(xml).toMatch(/<failure message="result: expected established, got dropped">/);
  expect(xml).toMatch(
    /<error message="there is no open connection &apos;gone&apos;|<error message="there is no open connection 'gone'/,
  );
  expect(wellFormed(xml)).toBe(true);
});

test('characters that XML cannot hold are replaced', async () => {
  const result = await someRun();
  const xml = junitXml([{ ...result, name: 'a\u0000b\u001bc\ud800' }]);
  expect(xml).toContain('name="a\uFFFDb\uFFFDc\uFFFD"');
});

/** Every tag is closed in order, and no bare < or & stands in text or attributes. */
function wellFormed(xml: string): boolean {
  const open: string[] = [];
  const body = xml.replace(/^<\?xml[^>]*\?>/, '');
  for (const [, closing, name, rest] of body.matchAll(/<(\/?)([a-z-]+)((?:[^<>"]|"[^<"]*")*)>/g)) {
    if (closing === '/') {
      if (open.pop() !== name) return false;
    } else if (!rest?.endsWith('/')) open.push(name ?? '');
  }
  const withoutTags = body.replace(/<\/?[a-z-]+(?:[^<>"]|"[^<"]*")*>/g, '');
  return open.length === 0 && !/[<>]|&(?!(amp|lt|gt|quot|#\d+);)/.test(withoutTags);
}
