// Files and directories as inputs: what is read, in which order, and what every unreadable input says.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INPUT_BYTES_MAX } from '../../../src/abi/limits.ts';
import { readNetwork, readNetworkText } from '../../../src/control/input/read.ts';

const HUB = 'virtualNetworks: {hub: {addressSpace: 10.0.0.0/16, subnets: {app: {addressPrefix: 10.0.0.0/24}}}}\n';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vnetem-input-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('reading files', () => {
  it('reads a file whose text begins with a byte order mark', () => {
    expect(readNetwork([write('bom.yaml', `\uFEFF${HUB}`)]).issues).toStrictEqual([]);
  });

  it('reads a directory in sorted order with its folders', () => {
    const root = join(directory, 'tree');
    mkdirSync(join(root, 'b'), { recursive: true });
    writeFileSync(join(root, 'c.yaml'), 'networkInterfaces: {last: {subnet: hub/app}}\n');
    writeFileSync(join(root, 'b', 'nic.yml'), 'networkInterfaces: {first: {subnet: hub/app}}\n');
    writeFileSync(join(root, 'z.yaml'), HUB);
    writeFileSync(join(root, 'notes.txt'), 'not an input');
    const { network, issues } = readNetwork([root]);
    expect(issues).toStrictEqual([]);
    expect(network?.networkInterfaces.map((nic) => nic.name)).toStrictEqual(['first', 'last']);
  });

  it('reads JSON in a file named .yaml', () => {
    expect(readNetworkText(JSON.stringify({ virtualNetworks: {} }), 'a.yaml').issues[0]?.code).toBe('RESOURCE_NONE');
  });

  it('refuses a file larger than the limit before it reads it', () => {
    const path = write('large.json', '{}');
    truncateSync(path, 50 * 1024 * 1024);
    expect(50 * 1024 * 1024).toBeGreaterThan(INPUT_BYTES_MAX);
    const { network, issues } = readNetwork([path]);
    expect(network).toBeUndefined();
    expect(issues.map((issue) => issue.code)).toStrictEqual(['INPUT_TOO_LARGE']);
  });

  it.each([
    ['nothing.yaml', undefined, 'INPUT_NOT_FOUND'],
    ['nothing.yaml/below.yaml', undefined, 'INPUT_NOT_FOUND'],
    ['empty.yaml', '', 'INPUT_EMPTY'],
    ['blank.json', ' \n', 'INPUT_EMPTY'],
    ['text.txt', 'hello', 'INPUT_KIND_UNKNOWN'],
    ['plain.yaml', 'hello world', 'TOPOLOGY_NOT_MAPPING'],
    ['number.json', '12', 'TOPOLOGY_NOT_MAPPING'],
    ['latin1.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9, 0x0a), 'INPUT_NOT_TEXT'],
    ['random.json', Uint8Array.from({ length: 64 }, (_, index) => (index * 37 + 128) % 256), 'INPUT_NOT_TEXT'],
    ['half.json', '{"id": ', 'JSON_SYNTAX'],
    ['template.json', '{"$schema": "…/deploymentTemplate.json#", "resources": []}', 'FORM_NOT_SUPPORTED'],
    ['none.json', '[]', 'RESOURCE_NONE'],
  ])('says of %s what is wrong with it, once, with a place and a hint', (name, content, code) => {
    const path = content === undefined ? join(directory, name) : write(name, content);
    const { issues } = readNetwork([path]);
    expect(issues.map((issue) => issue.code)).toStrictEqual([code]);
    expect(issues[0]?.source).toMatchObject({ file: path, line: 1 });
    expect(issues[0]?.hint).not.toBe('');
  });

  it('says of an empty directory that it holds nothing', () => {
    const root = join(directory, 'hollow');
    mkdirSync(root);
    expect(readNetwork([root]).issues.map((issue) => issue.code)).toStrictEqual(['INPUT_EMPTY']);
  });

  it('says of a link that leads to itself that it cannot be read', () => {
    const root = join(directory, 'loop');
    mkdirSync(root);
    symlinkSync('self.json', join(root, 'self.json'));
    symlinkSync('.', join(root, 'folder.json'));
    const { issues } = readNetwork([root]);
    expect(issues.map((issue) => issue.code)).toStrictEqual(['INPUT_KIND_UNKNOWN', 'INPUT_UNREADABLE']);
  });

  it('warns when two topologies set the profile or a switch differently', () => {
    const first = write('s1.yaml', `profile: pe-2020\nswitches: {nsg.requireSyn: true}\n${HUB}`);
    const second = write('s2.yaml', 'profile: ga-2026\nswitches:\n  nsg.requireSyn: false\n');
    const { issues, profile, switches } = readNetwork([first, second]);
    expect(issues.map(({ code, source }) => [code, source?.file, source?.line])).toStrictEqual([
      ['SETTINGS_DIFFER', second, 1],
      ['SETTINGS_DIFFER', second, 3],
    ]);
    expect({ profile, switches }).toStrictEqual({ profile: 'ga-2026', switches: { 'nsg.requireSyn': false } });
  });

  it('reports every bad input of several and still reads the good ones', () => {
    const { network, issues } = readNetwork([
      join(directory, 'nothing'),
      write('half2.json', '{'),
      write('ok.yaml', HUB),
    ]);
    expect(issues.map((issue) => issue.code)).toStrictEqual(['INPUT_NOT_FOUND', 'JSON_SYNTAX']);
    expect(network?.virtualNetworks.map((each) => each.name)).toStrictEqual(['hub']);
  });
});
