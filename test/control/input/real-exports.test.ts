// Exports of real networks that nobody of this project wrote. They lie outside the project: skipped where absent.

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasErrors } from '../../../src/control/issues.ts';
import { readNetwork } from '../../../src/control/input/read.ts';
import { shortName } from '../../../src/control/input/resources/resource-types.ts';

const ROOT = '../shared/data/azure-resources';
const read = (name: string): ReturnType<typeof readNetwork> => readNetwork([`${ROOT}/${name}`]);

describe.skipIf(!existsSync(ROOT))('real exports (skipped without ../shared/data)', () => {
  it('two machines and a NAT gateway: the gateway alone tells its subnet, one group names an absent subnet', () => {
    const { network, issues, resourceCount } = read('two-vms-nat-gateway');
    expect(issues.map(({ severity, code }) => `${severity} ${code}`)).toStrictEqual(['warning REFERENCE_NOT_FOUND']);
    expect(issues[0]?.source).toMatchObject({
      file: `${ROOT}/two-vms-nat-gateway/subnet-nsg.json`,
      line: 255,
      column: 10,
    });
    expect(resourceCount).toBe(9);
    const [first, second] = network?.virtualNetworks[0]?.properties.subnets ?? [];
    expect(shortName(first?.properties.natGateway?.id ?? '')).toBe('nat-gateway');
    expect(first?.properties).not.toHaveProperty('defaultOutboundAccess');
    expect(shortName(second?.properties.networkSecurityGroup?.id ?? '')).toBe('subnet-nsg');
    expect(second?.properties.defaultOutboundAccess).toBe(false);
    expect(
      network?.networkInterfaces.map(({ name, properties }) => [
        name,
        properties.ipConfigurations[0]?.properties.privateIPAddress,
        shortName(properties.ipConfigurations[0]?.properties.publicIPAddress?.id ?? 'none'),
        shortName(properties.networkSecurityGroup?.id ?? 'none'),
      ]),
    ).toStrictEqual([
      ['vm1346', '10.0.0.4', 'VM1-ip', 'VM1-nsg'],
      ['vm235', '10.0.1.4', 'none', 'VM2-nsg'],
    ]);
    expect(network?.staticNames.map(({ name }) => name)).toStrictEqual(['VM1', 'VM2']);
    expect(network?.networkSecurityGroups.map(({ properties }) => properties.securityRules.length)).toStrictEqual([
      3, 0, 5,
    ]);
  });

  it('two subnets: ids without a slash, names that differ from ids, rules that share an id', () => {
    const { network, issues } = read('two-subnets-nsg');
    expect(hasErrors(issues)).toBe(false);
    expect(issues.map(({ code }) => code)).toStrictEqual(['DEFAULT_RULE_DIFFERS', 'DEFAULT_RULE_DIFFERS']);
    const subnets = network?.virtualNetworks[0]?.properties.subnets ?? [];
    expect(subnets.map(({ name, id }) => [name, shortName(id)])).toStrictEqual([
      ['test', 'default'],
      ['test2', 'private'],
    ]);
    expect(shortName(subnets[1]?.properties.networkSecurityGroup?.id ?? '')).toBe('NSG-SUBNET2');
    expect(
      network?.networkInterfaces.map(({ properties }) =>
        shortName(properties.ipConfigurations[0]?.properties.subnet.id ?? ''),
      ),
    ).toStrictEqual(['default', 'private', 'private']);
    const vmGroup = network?.networkSecurityGroups.find(({ name }) => name === 'testNsg');
    expect(vmGroup?.properties.securityRules.map(({ name, properties }) => [name, properties.priority])).toStrictEqual([
      ['AllowCidrBlockSSHInbound', 5],
      ['BlockCidrBlockHttpInbound', 100],
      ['BlockCloudflareDns', 100],
    ]);
    expect(vmGroup?.properties.securityRules[0]?.properties.provisioningState).toBe('Succeeded');
  });
});
