// Flow logs: the text of records in both versions, and what is recorded of whole connections at their NICs.

import { describe, expect, it } from 'vitest';
import { LiveNetwork } from '../../../src/conformance/live.ts';
import { flowLogV2, flowLogV4 } from '../../../src/control/flow-log/documents.ts';
import { FlowLogRecorder } from '../../../src/control/flow-log/recorder.ts';
import { formatTuple, parseTuple, sumTuples } from '../../../src/control/flow-log/tuple.ts';
import { behaviour, networkOf, type Words } from '../compile/networks.ts';

const V2_CONTINUE = '1493695838,185.170.185.105,10.2.0.4,35370,23,T,I,A,C,1021,588096,8005,4610880';
const V2_BEGIN = '1493763938,185.170.185.105,10.2.0.4,35370,23,T,I,A,B,,,,';
const V4_END = '1663146003606,10.0.0.6,52.239.184.180,23956,443,6,O,E,NX,3,767,2,1580';
const MINUTE_NS = 60e9;

const words = (rules: NonNullable<Words['nsgs']>[string]): Words => ({
  vnets: { v: ['10.0.0.0/16'] },
  subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24' } },
  nics: { a: { subnet: 's', ip: '10.0.0.4' }, b: { subnet: 's', ip: '10.0.0.5', nsg: 'nb' } },
  nsgs: { nb: rules },
});

function logged(network: Words, flowTimeoutInMinutes?: number) {
  const made = networkOf(network);
  const virtualNetworks = made.virtualNetworks.map((vnet) => ({
    ...vnet,
    properties: { ...vnet.properties, ...(flowTimeoutInMinutes !== undefined && { flowTimeoutInMinutes }) },
  }));
  const live = new LiveNetwork({ ...made, virtualNetworks }, behaviour());
  const { simulation } = live.session;
  const recorder = new FlowLogRecorder(simulation.compiled.network);
  simulation.observe((event) => recorder.note(event));
  return { live, recorder, compiled: simulation.compiled };
}

describe('the text of a flow record', () => {
  it.each([
    [2, V2_BEGIN],
    [2, V2_CONTINUE],
    [4, V4_END],
  ] as const)('of version %i is read and written alike (DIAG-21, DIAG-27)', (version, text) => {
    expect(formatTuple(version, parseTuple(text))).toBe(text);
  });

  it('is read field by field', () => {
    expect(parseTuple(V4_END)).toMatchObject({
      timeMs: 1_663_146_003_606,
      srcPort: 23_956,
      dstPort: 443,
      protocol: 6,
      direction: 'Outbound',
      state: 'E',
      counters: { packetsSent: 3, bytesSent: 767, packetsReceived: 2, bytesReceived: 1580 },
    });
  });

  it('may have seconds in version 4, and empty counters (DIAG-29)', () => {
    const begin = parseTuple('1493763938,185.170.185.105,10.2.0.4,35370,23,6,I,B,NX,,,,');
    expect(begin.timeMs).toBe(1_493_763_938_000);
    expect(sumTuples([begin])).toEqual({ packets: 0, bytes: 0 });
  });

  it('is refused with the field that is wrong', () => {
    expect(() => parseTuple(V2_BEGIN.replace(',B,', ',X,'))).toThrow('field 9 is none of B, C, E');
    expect(() => parseTuple(V4_END.replace('443', '70000'))).toThrow('field 5 is not a number');
    expect(() => parseTuple(V4_END.replace('NX', 'no'))).toThrow('field 9 is not an encryption state');
  });
});

describe('records of a connection', () => {
  it('begin and end at both NICs with the same totals (DIAG-27)', () => {
    const { live, recorder } = logged(words([]));
    live.step('connect', { from: 'a', to: 'b:80', data: { request: 100, response: 5000 } });
    const { records } = recorder;
    expect(records.map(({ nic, state, direction }) => [nic.name, state, direction])).toEqual([
      ['a', 'B', 'Outbound'],
      ['b', 'B', 'Inbound'],
      ['a', 'E', 'Outbound'],
      ['b', 'E', 'Inbound'],
    ]);
    const [ofA, ofB] = ['a', 'b'].map((name) => sumTuples(records.filter(({ nic }) => nic.name === name)));
    expect(ofA).toEqual(ofB);
    expect(ofA?.bytes).toBeGreaterThan(5100);
  });

  it('are none for ICMP (DIAG-21)', () => {
    const { live, recorder } = logged(words([]));
    live.step('ping', { from: 'a', to: 'b' });
    expect(recorder.records).toEqual([]);
  });

  it('end four minutes after the last packet, and continue every five while there are packets', () => {
    const { live, recorder } = logged(words([]));
    const { simulation } = live.session;
    live.step('connect', { from: 'a', to: 'b:80', keep: 'c' });
    for (const minute of [3, 6]) {
      simulation.runUntil(minute * MINUTE_NS);
      live.step('send', { on: 'c', bytes: 100 });
    }
    recorder.advance(20 * MINUTE_NS);
    const ofA = recorder.records.filter(({ nic }) => nic.name === 'a');
    expect(ofA.map(({ state }) => state)).toEqual(['B', 'C', 'E']);
    expect(ofA.map(({ timeMs }) => Math.floor((timeMs - Date.UTC(2026, 0, 1)) / 60_000))).toEqual([0, 5, 10]);
  });

  it('are one D at the NIC whose group denied, and a B at the sender (DIAG-22, DIAG-30)', () => {
    const { live, recorder, compiled } = logged(words([[100, 'In', 'Tcp', '*', '*', '*', '80', 'Deny', 'NoWeb']]));
    live.step('connect', { from: 'a', to: 'b:80', retries: 2 });
    const states = recorder.records.map(({ nic, state, rule }) => [nic.name, state, rule?.rule]);
    expect(states.filter(([name]) => name === 'b')).toEqual([['b', 'D', 'NoWeb']]);
    expect(states[0]).toEqual(['a', 'B', undefined]);
    const v2 = JSON.stringify(flowLogV2(compiled, recorder.records));
    expect(v2).toContain('"rule":"UserRule_NoWeb"');
    expect(v2).toMatch(/10\.0\.0\.4,10\.0\.0\.5,\d+,80,T,I,D,B,,,,"/);
    const v4 = JSON.stringify(flowLogV4(compiled, recorder.records));
    expect(v4).toContain('"rule":"NoWeb"');
    expect(v4).toMatch(/80,6,I,D,NX,0,0,0,0"/);
    expect(v4).toMatch(/"aclID":"unspecified"/);
  });

  it('have neither end nor counters in version 2 where a user rule lets TCP in without flow timeout (NSG-34)', () => {
    const { live, recorder, compiled } = logged(words([[100, 'In', 'Tcp', '*', '*', '*', '80', 'Allow', 'Web']]));
    live.step('connect', { from: 'a', to: 'b:80' });
    const v2 = JSON.stringify(flowLogV2(compiled, recorder.records));
    expect(v2).toContain(',A,B,,,,');
    expect(v2).not.toContain(',A,E,');
    expect(JSON.stringify(flowLogV4(compiled, recorder.records))).toContain(',I,E,NX,');
  });

  it('have both where the network has a flow timeout (NSG-34)', () => {
    const { live, recorder, compiled } = logged(words([[100, 'In', 'Tcp', '*', '*', '*', '80', 'Allow', 'Web']]), 10);
    live.step('connect', { from: 'a', to: 'b:80' });
    expect(JSON.stringify(flowLogV2(compiled, recorder.records))).toMatch(/,I,A,E,\d+,\d+,\d+,\d+"/);
  });

  it('carry the default rule and the MAC of the NIC in version 2 (DIAG-20)', () => {
    const { live, recorder, compiled } = logged(words([]));
    live.step('connect', { from: 'a', to: 'b:80' });
    const { records } = flowLogV2(compiled, recorder.records);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      macAddress: expect.stringMatching(/^[0-9A-F]{12}$/),
      properties: { Version: 2, flows: [{ rule: 'DefaultRule_AllowVnetInBound' }] },
    });
    expect(JSON.stringify(records)).toContain(',A,E,');
  });
});
