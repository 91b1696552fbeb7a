import { describe, expect, it } from 'vitest';
import { readNetworkValue } from '../../src/control/input/read.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { explain, explanationText } from '../../src/scenario/explain.ts';
import { network } from '../../src/scenario/api.ts';
import { Session } from '../../src/scenario/session.ts';
import { resolveName } from '../../src/scenario/resolution.ts';
import type { Resolution } from '../../src/scenario/resolution.ts';
import type { NetworkUnderTest } from '../../src/scenario/api.ts';
import type { HostSettings } from '../../src/scenario/simulation/guests.ts';

const NAME = 'server.database.windows.net';
const ZONE = 'privatelink.database.windows.net';

/** A hub with a DNS server and an endpoint, a spoke, an on-premises network behind the hub's gateway, and a network of
 * its own with the spoke's addresses. */
function topology(changes: Record<string, unknown> = {}): object {
  return {
    virtualNetworks: {
      hub: {
        addressSpace: '10.0.0.0/16',
        subnets: { s: { addressPrefix: '10.0.0.0/24' }, GatewaySubnet: { addressPrefix: '10.0.255.0/27' } },
        gateway: { type: 'Vpn', learnedRoutes: ['192.168.0.0/16'] },
      },
      spoke: {
        addressSpace: '10.1.0.0/16',
        subnets: { s: { addressPrefix: '10.1.0.0/24', networkSecurityGroup: 'nsg' } },
        dnsServers: '10.0.0.53',
      },
      twin: { addressSpace: '10.1.0.0/16', subnets: { s: { addressPrefix: '10.1.0.0/24' } } },
    },
    peerings: [{ between: ['hub', 'spoke'] }],
    networkSecurityGroups: { nsg: { rules: [] } },
    networkInterfaces: {
      dns: {
        subnet: 'hub/s',
        privateIPAddress: '10.0.0.53',
        publicIPAddress: '20.9.9.9',
        dnsServer: {
          forward: 'azure',
          conditional: { 'rooted.example': 'root', 'onprem.example': ['192.168.0.53'] },
          records: { 'own.example': '10.0.0.99' },
        },
      },
      app: { subnet: 'spoke/s', privateIPAddress: '10.1.0.4' },
      hubvm: { subnet: 'hub/s', privateIPAddress: '10.0.0.4' },
      other: { subnet: 'twin/s', privateIPAddress: '10.1.0.4' },
    },
    services: { sql: { type: 'Microsoft.Sql/servers', hostNames: NAME, publicAddress: '20.40.0.10' } },
    privateEndpoints: {
      'pe-sql': { subnet: 'hub/s', privateIPAddress: '10.0.0.10', service: 'sql', privateDnsZones: [ZONE] },
    },
    privateDnsZones: { [ZONE]: { links: { hub: 'Default' } } },
    publicDns: { 'x.rooted.example': '20.5.5.5', 'x.onprem.example': '192.168.7.7' },
    ...changes,
  };
}

async function start(
  changes: Record<string, unknown> = {},
  hosts: Readonly<Record<string, HostSettings>> = {},
): Promise<NetworkUnderTest> {
  return await network(topology(changes), { hosts });
}

function ask(net: NetworkUnderTest, from: string, name = NAME, server?: number): Resolution {
  const session = new Session(net.simulation, 1);
  return resolveName(net.simulation, session.sender(from), name, { server });
}

describe('questions in frames', () => {
  it('reach a custom server in the hub, which asks Azure from its own network (DNS-15)', async () => {
    const net = await start();
    const found = ask(net, 'app');
    expect(found).toMatchObject({ status: 'NOERROR', addresses: ['10.0.0.10'], server: '10.0.0.53', blame: ZONE });
    expect(found.chain).toEqual([`server.${ZONE}`]);
    expect(found.steps.map((step) => step.where)).toEqual(['dns', 'public DNS', ZONE]);
    expect(found.observation.seenAt('app')).toBeDefined();
    await net.close();
  });

  it('are told apart by network where two networks have the same addresses (DNS-7)', async () => {
    const net = await start({
      privateDnsZones: {
        [ZONE]: { links: { hub: 'Default' } },
        'corp.example@1': { links: { twin: 'Default' }, records: { app: '10.1.0.77' } },
        'corp.example@2': { links: { hub: 'Default' }, records: { app: '10.0.0.77' } },
      },
    });
    expect(ask(net, 'other', 'app.corp.example').addresses).toEqual(['10.1.0.77']);
    expect(ask(net, 'app', 'app.corp.example').addresses).toEqual(['10.0.0.77']);
    await net.close();
  });

  it('go where the server’s own records, its conditional forwarders and the root lead (DNS-15)', async () => {
    const net = await start();
    expect(ask(net, 'app', 'own.example')).toMatchObject({ addresses: ['10.0.0.99'], blame: 'dns' });
    expect(ask(net, 'app', 'x.rooted.example')).toMatchObject({ addresses: ['20.5.5.5'], blame: 'public DNS' });
    expect(ask(net, 'app', 'x.onprem.example').addresses).toEqual(['192.168.7.7']);
    await net.close();
  });

  it('from on-premises need an inbound endpoint (DNS-16)', async () => {
    const net = await start({}, { onprem: { dnsServers: ['10.0.0.53'] } });
    expect(ask(net, 'onprem@192.168.1.1')).toMatchObject({ status: 'NOERROR', addresses: ['10.0.0.10'] });
    const without = await start();
    expect(ask(without, 'onprem@192.168.1.1')).toMatchObject({ server: undefined, addresses: ['20.40.0.10'] });
    await net.close();
    await without.close();
  });

  it('leave by the outbound endpoint when a ruleset says so (DNS-17)', async () => {
    const rules = { 'ruled.example': ['192.168.0.53'] };
    const net = await start({
      dnsForwardingRulesets: { set: { rules, networks: ['twin'], outboundEndpoint: 'hubvm' } },
      publicDns: { 'x.ruled.example': '192.168.3.3' },
    });
    const found = ask(net, 'other', 'x.ruled.example');
    expect(found).toMatchObject({ status: 'NOERROR', addresses: ['192.168.3.3'] });
    expect(found.observation.seenAt('hubvm')).toBeDefined();
    await net.close();
  });

  it('end with SERVFAIL when servers forward in a circle', async () => {
    const circle = { subnet: 'hub/s', privateIPAddress: '10.0.0.54', dnsServer: { forward: ['10.0.0.53'] } };
    const first = { subnet: 'hub/s', privateIPAddress: '10.0.0.53', dnsServer: { forward: ['10.0.0.54'] } };
    const app = { subnet: 'spoke/s', privateIPAddress: '10.1.0.4' };
    const net = await start({ networkInterfaces: { dns: first, second: circle, app } });
    expect(ask(net, 'app').status).toBe('SERVFAIL');
    await net.close();
  });

  it('time out where nobody serves names, after both tries', async () => {
    const net = await start();
    expect(ask(net, 'hubvm', NAME, 0x0a_01_00_04)).toMatchObject({ status: 'timeout', blame: 'app' });
    const found = ask(net, 'hubvm', NAME, 0x0a_00_00_63);
    expect(found).toMatchObject({ status: 'timeout', addresses: [] });
    expect(found.observation.dropped).toBe(2);
    expect(net.simulation.now()).toBeGreaterThan(10e9);
    await net.close();
  });
});

describe('connecting by name', () => {
  it('takes the way that the answer says (DNS-9)', async () => {
    const net = await start();
    const private_ = await net.connect({ from: 'app', to: `${NAME}:1433` });
    private_.expect({ resolvesTo: '10.0.0.10' });
    expect(private_).toMatchObject({ result: 'established', to: 'sql' });
    const public_ = await net.connect({ from: 'other', to: `${NAME}:1433`, retries: 0 });
    public_.expect({ resolvesTo: '20.40.0.10' });
    expect(public_.to).not.toBe('sql');
    await net.close();
  });

  it('fails with the status when DNS says no (DNS-10), and a hosts file comes first', async () => {
    const net = await start({ names: { 'stated.example': 'hubvm' } });
    const found = await net.connect({ from: 'app', to: 'nobody.database.windows.net:1433' });
    found.expect({ resolvesTo: 'NXDOMAIN' });
    expect(found.result).toBe('unreachable');
    const stated = await net.connect({ from: 'app', to: 'stated.example:80' });
    stated.expect({ result: 'established', to: 'hubvm' });
    await net.close();
  });

  it('follows changes of records and links at once, of servers after a restart (DNS-6)', async () => {
    const net = await start();
    net.change({ setDnsServers: { network: 'spoke', servers: [] } });
    expect(ask(net, 'app').addresses).toEqual(['10.0.0.10']);
    net.simulation.restart(net.simulation.attachment('app') ?? -1);
    expect(ask(net, 'app')).toMatchObject({ server: '168.63.129.16', addresses: ['20.40.0.10'] });
    net.change({ linkZone: { zone: ZONE, network: 'spoke' } });
    expect(ask(net, 'app').addresses).toEqual(['10.0.0.10']);
    await net.close();
  });
});

describe('explain', () => {
  function explained(changes: Record<string, unknown>, from: string, to = `${NAME}:1433`) {
    const { network: found } = readNetworkValue(topology(changes), 'topology.yaml');
    if (found === undefined) throw new Error('the fixture is broken');
    const { explanation, issues } = explain(found, behaviourOf(), { from, to });
    if (explanation === undefined) throw new Error(JSON.stringify(issues));
    return explanation;
  }

  it('begins with the resolution', () => {
    const explanation = explained({}, 'app');
    expect(explanation).toMatchObject({ isReachable: true, resolution: { status: 'NOERROR', blame: ZONE } });
    const text = explanationText(explanation);
    expect(text[2]).toBe(`resolution of ${NAME} (A) at 10.0.0.53`);
    expect(text.join('\n')).toContain('dns: forwards to 168.63.129.16');
    expect(explanation.notes).toEqual([]);
  });

  it('blames DNS when the zone is linked elsewhere, and says where', () => {
    const explanation = explained({ privateDnsZones: { [ZONE]: { links: { spoke: 'Default' } } } }, 'app');
    expect(explanation.notes[0]).toMatch(
      /^DNS is to blame: 'server\.database\.windows\.net' leads to 20\.40\.0\.10 \(public DNS\) and not to private endpoint 'pe-sql' at 10\.0\.0\.10/,
    );
  });

  it('blames the rule that drops the question: AzurePlatformDNS (DNS-19, NSG-30)', () => {
    const rule = {
      name: 'NoDns',
      priority: 100,
      direction: 'Outbound',
      access: 'Deny',
      protocol: '*',
      destination: 'AzurePlatformDNS',
    };
    const base = topology() as { virtualNetworks: Record<string, Record<string, unknown>> };
    const { dnsServers: _unused, ...spoke } = base.virtualNetworks['spoke'] ?? {};
    const changes = {
      virtualNetworks: { ...base.virtualNetworks, spoke },
      networkSecurityGroups: { nsg: { rules: [rule] } },
    };
    const explanation = explained(changes, 'app');
    expect(explanation.isReachable).toBe(false);
    expect(explanation.resolution).toMatchObject({ status: 'timeout', blame: 'nsg/NoDns' });
    expect(explanation.notes[0]).toMatch(/DNS is to blame/);
    expect(explanation.forward.outcome).toBe('dropped');
  });

  it('says NXDOMAIN with the zone that decided (DNS-10)', () => {
    const services = {
      sql: { type: 'Microsoft.Sql/servers', hostNames: NAME },
      theirs: { type: 'Microsoft.Sql/servers', hostNames: 'theirs.database.windows.net' },
    };
    const privateEndpoints = { 'pe-theirs': { subnet: 'twin/s', privateIPAddress: '10.1.0.10', service: 'theirs' } };
    const explanation = explained({ services, privateEndpoints }, 'app', 'theirs.database.windows.net:1433');
    expect(explanation.resolution).toMatchObject({ status: 'NXDOMAIN', blame: ZONE });
    expect(explanation.notes).toEqual([
      `DNS is to blame: 'theirs.database.windows.net' has no address (NXDOMAIN), decided by ${ZONE}`,
    ]);
  });
});
