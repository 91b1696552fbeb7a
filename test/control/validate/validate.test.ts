import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { behaviourOf, PROFILES } from '../../../src/control/model/profile.ts';
import type { Network, SourceLocation } from '../../../src/control/model/resources.ts';
import { VALIDATE_ISSUE_CODES } from '../../../src/control/validate/codes.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';
import { network, type NetworkSpec } from '../fixtures.ts';
import { codesOf } from './codes-of.ts';

const SEED = 20_260_101;

test('all problems of a network are reported at once, in the order of its parts', () => {
  const wrong = network({
    vnets: { vnet: { ranges: ['10.0.0.0/16'], subnets: { one: '10.0.0.0/24', two: '10.0.0.128/25' } } },
    nics: { app: { subnet: 'oen', address: '10.0.0.4' } },
    nsgs: { nsg: [{ name: 'r', priority: 99, direction: 'In', access: 'Allow', destinationPorts: '99999' }] },
    routeTables: { rt: [{ name: 'r', prefix: '0.0.0.0/0', type: 'VirtualAppliance' }] },
    endpoints: { pe: { subnet: 'one', address: '10.0.0.1', target: 'sqlmi1' } },
  });
  expect(codesOf(wrong).split(' ')).toEqual([
    'SUBNETS_OVERLAP',
    'NIC_SUBNET_NOT_FOUND',
    'ADDRESS_RESERVED',
    'RULE_PRIORITY_RANGE',
    'RULE_PORT_INVALID',
    'ROUTE_NEXT_HOP_MISSING',
    '~ENDPOINT_TARGET_NOT_FOUND',
  ]);
  const [, subnet] = validateNetwork(wrong, behaviourOf());
  expect(subnet.hint).toBe("did you mean 'one'?");
});

test('an issue is where the nearest object with a known place was written', () => {
  const at = (line: number): SourceLocation => ({ file: 'topology.yaml', line, column: 3 });
  const given = network({ nsgs: { nsg: [{ name: 'r', priority: 99, direction: 'In', access: 'Allow' }] } });
  const [nsg] = given.networkSecurityGroups;
  const [rule] = nsg.properties.securityRules;
  const placed = (securityRules: readonly (typeof rule)[]): Network => ({
    ...given,
    networkSecurityGroups: [{ ...nsg, source: at(5), properties: { ...nsg.properties, securityRules } }],
  });
  expect(validateNetwork(placed([rule]), behaviourOf())).toMatchObject([{ source: at(5) }]);
  expect(validateNetwork(placed([{ ...rule, source: at(7) }]), behaviourOf())).toMatchObject([{ source: at(7) }]);
});

test('every code has a meaning and a test that produces it', () => {
  const texts = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(`${import.meta.dirname}/${file}`, 'utf8'));
  const words = new Set(texts.flatMap((text) => text.match(/[A-Z][A-Z0-9_]+/g) ?? []));
  const codes = Object.entries(VALIDATE_ISSUE_CODES);
  expect(codes.filter(([code]) => !words.has(code)).map(([code]) => code)).toEqual([]);
  expect(codes.filter(([, meaning]) => !meaning.endsWith('.'))).toEqual([]);
});

const word = fc.constantFrom('a', 'b', 'c', 'GatewaySubnet', 'Storage', '');
const addressText = fc.oneof(
  fc.ipV4(),
  fc.integer({ min: 0, max: 255 }).map((n) => `10.0.0.${n}`),
  fc.constantFrom('', '*', '10.0.0', 'fd00::1', '010.0.0.1', '10.0.0.4 '),
  fc.string({ maxLength: 8 }),
);
const prefixText = fc.oneof(
  fc.tuple(fc.constantFrom('10.0.0.0', '0.0.0.0', '10.1.0.0', '224.0.0.0'), fc.nat(33)).map(([a, n]) => `${a}/${n}`),
  addressText,
  fc.constantFrom('VirtualNetwork', 'Internet', 'Storage', 'fd00::/8', '/', '10.0.0.0/', 'asg:a'),
);
const ports = fc.array(fc.oneof(fc.constantFrom('*', '80', '90-80', '', '-', '70000'), fc.string({ maxLength: 6 })), {
  maxLength: 3,
});

/** Networks of the right shape with texts that may be anything. */
const anyNetwork = fc
  .record({
    vnets: fc.dictionary(
      word,
      fc.record({
        ranges: fc.array(prefixText, { maxLength: 3 }),
        subnets: fc.dictionary(
          word,
          fc.record({
            prefix: prefixText,
            nsg: word,
            routeTable: word,
            policies: fc.constantFrom('Enabled', 'Disabled'),
          }),
          { maxKeys: 4 },
        ),
      }),
      { maxKeys: 3 },
    ),
    peerings: fc.array(fc.tuple(word, word), { maxLength: 4 }),
    nics: fc.dictionary(
      word,
      fc.record({ subnet: word, address: addressText, asgs: fc.array(word, { maxLength: 2 }) }),
    ),
    nsgs: fc.dictionary(
      word,
      fc.array(
        fc.record({
          name: fc.oneof(word, fc.string()),
          priority: fc.oneof(fc.integer(), fc.double()),
          direction: fc.constantFrom('In', 'Out'),
          access: fc.constantFrom('Allow', 'Deny'),
          source: fc.array(prefixText, { maxLength: 3 }),
          destinationPorts: ports,
        }),
        { maxLength: 4 },
      ),
    ),
    asgs: fc.array(word, { maxLength: 2 }),
    routeTables: fc.dictionary(
      word,
      fc.array(
        fc.record({
          name: word,
          prefix: prefixText,
          type: fc.constantFrom('VirtualAppliance', 'None', 'VirtualNetworkGateway'),
          hop: addressText,
        }),
        { maxLength: 4 },
      ),
    ),
    publicIps: fc.dictionary(word, addressText),
    endpoints: fc.dictionary(
      word,
      fc.record({ subnet: word, address: addressText, target: fc.oneof(word, fc.string()) }),
    ),
    services: fc.dictionary(word, fc.record({ ports, backendAddress: addressText, subnet: word })),
    gateways: fc.dictionary(word, fc.record({ vnet: word })),
    names: fc.dictionary(word, fc.oneof(addressText, fc.string())),
  })
  .map((spec) => network(spec as NetworkSpec));

test(`validation never throws and always explains itself, whatever the texts are (seed ${SEED})`, () => {
  const property = fc.property(anyNetwork, fc.constantFrom(...PROFILES), (given, profile) => {
    const issues = validateNetwork(given, behaviourOf(profile));
    const known: readonly string[] = Object.keys(VALIDATE_ISSUE_CODES);
    for (const issue of issues) {
      expect(known).toContain(issue.code);
      expect(issue.message).not.toContain('undefined');
      expect(issue.path).toBeTruthy();
      expect(issue.hint).toBeTruthy();
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 500 });
});
