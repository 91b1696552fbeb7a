// Kinds `diag` and `arith`: the published cases, and other questions of the same shapes.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCaseFiles } from '../../src/conformance/load.ts';
import type { RawCase } from '../../src/conformance/notation.ts';
import { runCase } from '../../src/conformance/run-case.ts';

const files = ['topologies.yaml', 'diag.yaml'].map((name) => join(import.meta.dirname, 'cases', name));
const { topologies, cases } = loadCaseFiles(files);

function ask(topo: string, tool: string, input: object, expected: object, more: object = {}): string {
  const raw = { id: 'A', kind: 'diag', topo, tool, input, expect: expected, ...more };
  const { status, detail } = runCase(raw as unknown as RawCase, topologies);
  return status === 'pass' ? 'pass' : detail;
}

describe('published diagnostic cases', () => {
  it.each(cases.map((raw) => [raw.id, raw] as const))('%s', (_, raw) => {
    expect(runCase(raw, topologies)).toEqual({ id: raw.id, status: 'pass', detail: '' });
  });
});

describe('IP flow verify', () => {
  const question = { direction: 'Outbound', protocol: 'TCP', localIPAddress: '10.0.0.4', localPort: 60_000 };

  it('gives the four answers of the tutorial (DIAG-4)', () => {
    const rows = [
      ['Outbound', '13.107.21.200', 'Allow', 'AllowInternetOutBound'],
      ['Outbound', '10.0.1.10', 'Allow', 'AllowVnetOutBound'],
      ['Outbound', '10.10.10.10', 'Deny', 'DenyAllOutBound'],
      ['Inbound', '10.10.10.10', 'Deny', 'DenyAllInBound'],
    ];
    for (const [direction, remoteIPAddress, access, name] of rows) {
      const input = { ...question, direction, remoteIPAddress, remotePort: '80' };
      const json = { access, ruleName: `defaultSecurityRules/${name}` };
      expect(ask('T-IPFLOW', 'ipFlowVerify', input, { json })).toBe('pass');
    }
  });

  it('names user rules by their path, for the ports of its direction (DIAG-2)', () => {
    const override = { nsgs: { myVmNsg: [[100, 'In', 'Tcp', '*', '1000-2000', '*', '22', 'Allow', 'Ssh']] } };
    const verify = (localPort: number, remotePort: number, expected: object) =>
      ask(
        'T-IPFLOW',
        'ipFlowVerify',
        { ...question, direction: 'Inbound', localPort, remoteIPAddress: '8.8.8.8', remotePort },
        expected,
        { override },
      );
    expect(verify(22, 1500, { access: 'Allow', ruleName: 'securityRules/Ssh' })).toBe('pass');
    expect(verify(1500, 22, { access: 'Deny', ruleName: 'defaultSecurityRules/DenyAllInBound' })).toBe('pass');
  });

  it('sees an endpoint as an address of the network and cannot ask its own side (DIAG-5)', () => {
    const toEndpoint = { ...question, remoteIPAddress: '10.0.1.5', remotePort: 1433 };
    const ownSide = { ...toEndpoint, localIPAddress: '10.0.1.5', remoteIPAddress: '10.0.0.4' };
    expect(ask('T-PENSG', 'ipFlowVerify', toEndpoint, { access: 'Allow' })).toBe('pass');
    expect(ask('T-PENSG', 'ipFlowVerify', ownSide, { error: 'notAvailable' })).toBe('pass');
  });
});

describe('next hop', () => {
  const hop = (topo: string, from: string, to: string, json: object, more: object = {}) =>
    ask(topo, 'nextHop', { sourceIPAddress: from, destinationIPAddress: to }, { json }, more);

  it('names an endpoint with its address (DIAG-9)', () => {
    const json = { nextHopType: 'InterfaceEndpoint', nextHopIpAddress: '10.0.1.5', routeTableId: 'System Route' };
    expect(hop('T-PENSG', '10.0.0.4', '10.0.1.5', json)).toBe('pass');
  });

  it('has a word of its own for peerings (DIAG-7)', () => {
    expect(hop('T-PENSG', '10.0.0.4', '10.1.0.4', { nextHopType: 'VirtualNetworkPeering' })).toBe('pass');
  });

  it('tells the route table and the appliance of a user-defined route (DIAG-6)', () => {
    const override = { rts: { vmrt: [['8.0.0.0/8', 'VirtualAppliance', '192.168.16.4', 'via-nva']] } };
    const hopOf = (routeTableId: string) =>
      hop(
        'T-PEUDR',
        '192.168.1.4',
        '8.8.8.8',
        { nextHopType: 'VirtualAppliance', nextHopIpAddress: '192.168.16.4', routeTableId },
        { override },
      );
    expect(hopOf('System Route')).toMatch(/routeTables\/vmrt/);
  });
});

describe('NSG diagnostics', () => {
  const bastion = { direction: 'Inbound', source: '10.0.1.0/26', destination: '10.0.0.4', protocol: 'Any' };
  const allow = [900, 'In', '*', '10.0.1.0/26', '*', '*', '*', 'Allow', 'AllowBastionConnections'];
  const deny = [1000, 'In', '*', 'VirtualNetwork', '*', '*', '*', 'Deny', 'DenyVnetInBound'];
  const diagnose = (input: object, expected: object, rules: readonly unknown[]) =>
    ask('T-BASTION', 'nsgDiagnostics', { ...bastion, destinationPort: '*', ...input }, expected, {
      override: { nsgs: { 'myVM-nsg': rules } },
    });

  it('allows once a rule above the deny covers the question (DIAG-16)', () => {
    const expected = { access: 'Allow', matchedRule: 'UserRule_AllowBastionConnections' };
    expect(diagnose({}, expected, [allow, deny])).toBe('pass');
  });

  it('passes over rules that cover only a part of what is asked (DIAG-15)', () => {
    const expected = { access: 'Deny', matchedRule: 'UserRule_DenyVnetInBound' };
    const ssh = [900, 'In', 'Tcp', '10.0.1.0/26', '*', '*', '22', 'Allow', 'Ssh'];
    expect(diagnose({}, expected, [ssh, deny])).toBe('pass');
    expect(diagnose({ source: '10.0.0.0/16' }, expected, [allow, deny])).toBe('pass');
    const tcp = { protocol: 'TCP', destinationPort: 22 };
    expect(diagnose(tcp, { access: 'Allow', matchedRule: 'UserRule_Ssh' }, [ssh, deny])).toBe('pass');
  });

  it('asks outbound from the side of the source, and takes tags', () => {
    const input = { direction: 'Outbound', source: '10.0.0.4', destination: 'Internet' };
    expect(diagnose(input, { access: 'Allow', matchedRule: 'DefaultRule_AllowInternetOutBound' }, [])).toBe('pass');
  });
});

describe('a flow log', () => {
  it('has records at both machines of a connection between machines (DIAG-30)', () => {
    const expected = { recordsAt: ['client', 'bclient'], destinationLogged: '10.1.0.4' };
    expect(ask('T-PENSG', 'flowLog', { flow: ['client', 'bclient', 80] }, expected)).toBe('pass');
  });
});

describe('kind arith', () => {
  const sum = (tuples: readonly string[], expected: object) =>
    runCase({ id: 'A', kind: 'arith', tuples, expect: expected } as unknown as RawCase, topologies);

  it('adds up version 4 as version 2 (DIAG-27)', () => {
    const tuples = [
      '1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,NX,0,0,0,0',
      '1663146003606,10.0.0.6,52.239.184.180,23956,443,6,O,E,NX,3,767,2,1580',
    ];
    expect(sum(tuples, { packets: 5, bytes: 2347 }).status).toBe('pass');
    expect(sum(tuples, { packets: 6 }).status).toBe('fail');
  });

  it('says what is wrong with a line', () => {
    expect(sum(['1,2'], { packets: 0 }).detail).toContain('2 fields, expected 13');
  });
});
