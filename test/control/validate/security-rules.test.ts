import { expect, test } from 'vitest';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';
import { network, type NetworkSpec } from '../fixtures.ts';
import { codesOf, rowsOf } from './codes-of.ts';

const LONG_NAMES: Record<string, string> = { N80: 'a'.repeat(80), N81: 'a'.repeat(81) };

// One row is one rule; the last column is the code. Earlier checks come first. N80 is a name of 80 characters.
const RULES = `
  # name   prio   dir  proto  source                 sports      destination       dports        code
  r        100    In   Tcp    *                      *           *                 443           ok
  r        4096   Out  Udp    10.0.0.0/8             1024-65535  Internet          53,853        ok
  # priority (NSG-1)
  r        99     In   Tcp    *                      *           *                 443           RULE_PRIORITY_RANGE
  r        10     In   Tcp    *                      *           *                 443           RULE_PRIORITY_RANGE
  r        4097   In   Tcp    *                      *           *                 443           RULE_PRIORITY_RANGE
  r        100.5  In   Tcp    *                      *           *                 443           RULE_PRIORITY_RANGE
  # name (NSG-6)
  A.b-1_   100    In   Tcp    *                      *           *                 443           ok
  1        100    In   Tcp    *                      *           *                 443           ok
  -web     100    In   Tcp    *                      *           *                 443           RULE_NAME
  web-     100    In   Tcp    *                      *           *                 443           RULE_NAME
  web.     100    In   Tcp    *                      *           *                 443           RULE_NAME
  my rule  100    In   Tcp    *                      *           *                 443           RULE_NAME
  N80      100    In   Tcp    *                      *           *                 443           ok
  N81      100    In   Tcp    *                      *           *                 443           RULE_NAME
  # protocol (NSG-3): Icmp, Esp and Ah ignore ports
  r        100    In   Icmp   *                      *           *                 -             ok
  r        100    In   Esp    *                      *           *                 *             ok
  r        100    In   Tcp    *                      *           *                 -             RULE_PORTS_EMPTY
  # source and destination (NSG-4)
  r        100    In   *      10.0.0.4               *           10.0.0.0/24       *             ok
  r        100    In   *      10.0.0.0/8,11.0.0.0/8  *           *                 *             ok
  r        100    In   *      -                      *           *                 *             RULE_SIDE_EMPTY
  r        100    In   *      10.0.0.0/8,Storage     *           *                 *             RULE_SIDE_MIXED
  r        100    In   *      *,10.0.0.0/24          *           *                 *             RULE_SIDE_MIXED
  r        100    In   *      asg:web,10.0.0.0/8     *           *                 *             RULE_SIDE_MIXED
  r        100    In   *      Storage,Internet       *           *                 *             RULE_SEVERAL_TAGS
  r        100    In   *      10.0.0.1/24            *           *                 *             PREFIX_INVALID
  r        100    In   *      010.0.0.0/8            *           *                 *             PREFIX_INVALID
  r        100    In   *      10.0.0.256             *           *                 *             PREFIX_INVALID
  r        100    In   *      fd00::/8               *           *                 *             ~IPV6_PREFIX
  r        100    In   *      storage                *           *                 *             ok
  r        100    In   *      Storag                 *           *                 *             TAG_UNKNOWN
  r        100    In   *      asg:web                *           asg:web           *             ok
  r        100    In   *      asg:wob                *           *                 *             ASG_NOT_FOUND
  # platform tags are for outbound rules (NSG-21)
  r        100    Out  *      *                      *           AzurePlatformDNS  *             ok
  r        100    In   *      *                      *           AzurePlatformDNS  *             TAG_DIRECTION
  r        100    In   *      azureplatformlkm       *           *                 *             TAG_DIRECTION
  # ports (NSG-5)
  r        100    In   Tcp    *                      *           *                 80,8000-8010  ok
  r        100    In   Tcp    *                      *           *                 0-65535       ok
  r        100    In   Tcp    *                      *           *                 *,80          RULE_PORTS_MIXED
  r        100    In   Tcp    *                      *           *                 65536         RULE_PORT_INVALID
  r        100    In   Tcp    *                      *           *                 90-80         RULE_PORT_INVALID
  r        100    In   Tcp    *                      *           *                 http          RULE_PORT_INVALID
  r        100    In   Tcp    *                      80-         *                 80            RULE_PORT_INVALID
`;

test.each(rowsOf(RULES))('rule %s %s %s %s, %s:%s to %s:%s gives %s %s', (...row) => {
  const [name = '', priority, direction = '', protocol = '', source, sports, destination, dports, code] = row;
  const rule = {
    name: LONG_NAMES[name] ?? name,
    priority: Number(priority),
    direction,
    access: 'Allow',
    protocol,
    source: listOf(source),
    sourcePorts: listOf(sports),
    destination: listOf(destination),
    destinationPorts: listOf(dports),
  };
  expect(codesOf(oneNsg([rule]))).toBe(code);
});

function listOf(cell = '-'): string[] {
  return cell === '-' ? [] : cell.split(',');
}

function oneNsg(rules: NonNullable<NetworkSpec['nsgs']>[string], more: NetworkSpec = {}): Network {
  return network({ nsgs: { nsg: rules }, asgs: ['web'], tags: { Storage: ['20.60.0.0/16'] }, ...more });
}

const plain = { direction: 'In', access: 'Allow', protocol: 'Tcp', destinationPorts: 443 } as const;

test('one priority may occur once per direction', () => {
  const first = { ...plain, name: 'first', priority: 100 };
  expect(codesOf(oneNsg([first, { ...plain, name: 'second', priority: 100 }]))).toBe('RULE_PRIORITY_DUPLICATE');
  expect(codesOf(oneNsg([first, { ...plain, name: 'second', priority: 100, direction: 'Out' }]))).toBe('ok');
  expect(codesOf(oneNsg([first, { ...plain, name: 'second', priority: 101 }]))).toBe('ok');
});

test('rule names of one group differ in more than case', () => {
  const rules = [
    { ...plain, name: 'web', priority: 100 },
    { ...plain, name: 'WEB', priority: 101 },
  ];
  expect(codesOf(oneNsg(rules))).toBe('RULE_NAME_DUPLICATE');
});

test('what Azure has accepted is a warning in an export', () => {
  const accepted = { ...plain, provisioningState: 'Succeeded' };
  const rules = [
    { ...accepted, name: 'low', priority: 5 },
    { ...accepted, name: 'twin', priority: 5, source: 'GatewayManager' },
    { ...accepted, name: 'new', priority: 5, provisioningState: 'Failed' },
  ];
  expect(codesOf(oneNsg(rules)).split(' ')).toEqual([
    '~RULE_PRIORITY_DUPLICATE',
    'RULE_PRIORITY_DUPLICATE',
    '~RULE_PRIORITY_RANGE',
    '~RULE_PRIORITY_RANGE',
    '~TAG_UNKNOWN',
    'RULE_PRIORITY_RANGE',
  ]);
});

test('protocol, direction and access have closed sets of values', () => {
  const good = oneNsg([{ ...plain, name: 'r', priority: 100 }]);
  const [nsg] = good.networkSecurityGroups;
  const [rule] = nsg.properties.securityRules;
  const properties = { ...rule.properties, protocol: 'Icmpv6', direction: 'Both', access: 'Permit' } as never;
  const securityRules = [{ ...rule, properties }];
  const networkSecurityGroups = [{ ...nsg, properties: { ...nsg.properties, securityRules } }];
  const codes = codesOf({ ...good, networkSecurityGroups });
  expect(codes).toBe('RULE_PROTOCOL RULE_DIRECTION RULE_ACCESS');
});

test('an unknown service tag gets the nearest known one as a hint', () => {
  const issues = validateNetwork(oneNsg([{ ...plain, name: 'r', priority: 100, source: 'Intrnet' }]), behaviourOf());
  expect(issues).toMatchObject([{ code: 'TAG_UNKNOWN', hint: "did you mean 'Internet'?" }]);
});

test('a message names rule and group as the user did, and says what Azure would', () => {
  const [issue] = validateNetwork(oneNsg([{ ...plain, name: 'AllowWeb', priority: 99 }]), behaviourOf());
  expect(issue).toEqual({
    code: 'RULE_PRIORITY_RANGE',
    severity: 'error',
    message:
      "rule 'AllowWeb' of network security group 'nsg' has priority 99; expected 100 to 4096 " +
      '(Azure: SecurityRuleInvalidPriority)',
    hint: 'choose a whole number from 100 to 4096; lower numbers are read first',
    path: 'networkSecurityGroups.nsg.securityRules[0].priority',
  });
});
