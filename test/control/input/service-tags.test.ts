// Service tags: the published file, the built-in table, and that no tag holds a private address.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SERVICE_TAGS, loadServiceTags, readNetwork } from '../../../src/control/input/read.ts';
import { parsePrefix, prefixCovers, prefixesOverlap } from '../../../src/wire/address.ts';

const PUBLISHED = `{
  "changeNumber": 1,
  "cloud": "Public",
  "values": [
    {"name": "Storage.WestEurope", "id": "Storage.WestEurope",
     "properties": {"region": "westeurope", "addressPrefixes": ["20.60.128.0/17", "2603:1020::/32"]}}
  ]
}`;

describe('service tags', () => {
  it('are read from the published file, without its IPv6 prefixes', () => {
    const { serviceTags, issues } = loadServiceTags(PUBLISHED, 'tags.json');
    expect(issues).toStrictEqual([]);
    expect([...(serviceTags ?? [])]).toStrictEqual([
      ['storage.westeurope', { name: 'Storage.WestEurope', prefixes: ['20.60.128.0/17'] }],
    ]);
  });

  it('of a file replace the built-in ones when a network is read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'vnetem-tags-'));
    const [tags, hub] = [join(directory, 'tags.json'), join(directory, 'hub.yaml')];
    writeFileSync(tags, PUBLISHED.replace('20.60.128.0/17', '20.61.0.0/16'));
    writeFileSync(hub, 'virtualNetworks: {hub: {addressSpace: 10.0.0.0/16}}');
    const { network, issues } = readNetwork([hub], { serviceTagFiles: [tags, join(directory, 'gone.json')] });
    rmSync(directory, { recursive: true });
    expect(issues.map((issue) => issue.code)).toStrictEqual(['INPUT_NOT_FOUND']);
    expect(network?.serviceTags.get('storage.westeurope')?.prefixes).toStrictEqual(['20.61.0.0/16']);
    expect(network?.serviceTags.get('storage')?.prefixes).toStrictEqual(['20.60.0.0/16']);
  });

  it.each([
    ['[]', 'SERVICE_TAGS_SHAPE'],
    ['{"values": {}}', 'SERVICE_TAGS_SHAPE'],
    ['{"values": [{"name": "X", "properties": {"addressPrefixes": ["10.0.0.5/24"]}}]}', 'PREFIX_HOST_BITS'],
    ['{"values": [{"properties": {}}]}', 'FIELD_MISSING'],
    ['{', 'JSON_SYNTAX'],
  ])('in a wrong shape are an issue: %s', (text, code) => {
    expect(loadServiceTags(text, 'tags.json').issues.map((issue) => issue.code)).toStrictEqual([code]);
  });

  it('built in hold public addresses only (NSG-20)', () => {
    const privateRanges = [
      '10.0.0.0/8',
      '100.64.0.0/10',
      '127.0.0.0/8',
      '169.254.0.0/16',
      '172.16.0.0/12',
      '192.168.0.0/16',
    ];
    for (const { name, prefixes } of DEFAULT_SERVICE_TAGS.values()) {
      for (const prefix of prefixes) {
        const overlaps = privateRanges.some((range) => prefixesOverlap(parsePrefix(range), parsePrefix(prefix)));
        expect(overlaps, `${name} ${prefix}`).toBe(false);
      }
    }
  });

  it('built in for a region lie inside the tag of all regions', () => {
    for (const [key, { name, prefixes }] of DEFAULT_SERVICE_TAGS) {
      const whole = DEFAULT_SERVICE_TAGS.get(key.split('.')[0] ?? '')?.prefixes.map(parsePrefix) ?? [];
      const outside = prefixes.filter((prefix) => !whole.some((outer) => prefixCovers(outer, parsePrefix(prefix))));
      expect(outside, name).toStrictEqual([]);
    }
  });
});
