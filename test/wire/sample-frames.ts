// One valid frame of every kind, as bytes, each under its line of text. The bytes were checked with Wireshark:
// no malformed packet, every checksum right. Tests parse them, build them and cut them short.
import { hex } from './bytes.ts';

const ETHERNET = '123456789abc 000d3a000004 0800';

export interface SampleFrame {
  readonly line: string;
  readonly bytes: Uint8Array;
}

function sample(line: string, text: string): SampleFrame {
  return { line, bytes: hex(text) };
}

export const SAMPLES = {
  syn: sample(
    'IP 10.0.0.4.50000 > 10.0.1.5.1433: Flags [S], seq 1000, win 65535, ' +
      'options [mss 1460,sackOK,TS val 16909060 ecr 0,wscale 7], length 0',
    `${ETHERNET}
    4500003c 12344000 40061380 0a000004 0a000105
    c3500599 000003e8 00000000 a002ffff 62200000
    020405b4 0402 080a 01020304 00000000 01 030307`,
  ),
  data: sample(
    'IP 10.0.0.4.50000 > 10.0.1.5.1433: Flags [P.], seq 1001:1006, ack 5001, win 512, length 5',
    `${ETHERNET}
    4500002d 00000000 400665c3 0a000004 0a000105
    c3500599 000003e9 00001389 50180200 74910000
    68656c6c6f`,
  ),
  selectiveAck: sample(
    'IP 10.0.0.4.50000 > 10.0.1.5.1433: Flags [.], ack 2, win 65535, ' +
      'options [TS val 5 ecr 6,sack 2 {100:200}{4294967290:10}], length 0',
    `${ETHERNET}
    45000048 00000000 400665a8 0a000004 0a000105
    c3500599 00000001 00000002 d010ffff 41650000
    0101 080a 00000005 00000006
    0101 0512 00000064 000000c8 fffffffa 0000000a`,
  ),
  udp: sample(
    'IP 10.0.0.4.53001 > 168.63.129.16.53: UDP, length 3',
    `${ETHERNET}
    4500001f 00000000 8011077b 0a000004 a83f8110
    cf090035 000b38e3
    616263`,
  ),
  ping: sample(
    'IP 10.0.0.4 > 10.0.0.5: ICMP echo request, id 7, seq 1, length 12',
    `${ETHERNET}
    45000020 00000000 400166d5 0a000004 0a000005
    08001927 00070001
    70696e67`,
  ),
  arp: sample(
    'ARP, Request who-has 10.0.0.1 tell 10.0.0.4, length 28',
    `ffffffffffff 000d3a000004 0806
    0001 0800 06 04 0001
    000d3a000004 0a000004 000000000000 0a000001`,
  ),
  fragmentationNeeded: sample(
    'IP 10.0.0.9 > 10.0.0.4: ICMP 10.0.1.5 unreachable - need to frag (mtu 1400), length 68',
    `000d3a000004 123456789abc 0800
    45000058 00000000 40016699 0a000009 0a000004
    03040cbb 00000578
    4500003c 12344000 40061380 0a000004 0a000105
    c3500599 000003e8 00000000 a002ffff 62200000
    020405b4 0402 080a 01020304 00000000 01 030307`,
  ),
  portUnreachable: sample(
    'IP 168.63.129.16 > 10.0.0.4: ICMP 168.63.129.16 udp port 53 unreachable, length 39',
    `000d3a000004 123456789abc 0800
    4500003b 00000000 4001476f a83f8110 0a000004
    0303306d 00000000
    4500001f 00000000 8011077b 0a000004 a83f8110
    cf090035 000b38e3 616263`,
  ),
  firstFragment: sample(
    'IP 10.0.0.4.1 > 10.0.1.5.2: UDP, length 100 (frag 0:32@0+)',
    `${ETHERNET}
    48000040 00002000 4011a399 0a000004 0a000105 94040000 07070400 00000000
    00010002 006cb7d8
    010101010101010101010101010101010101010101010101`,
  ),
  lastFragment: sample(
    'IP 10.0.0.4 > 10.0.1.5: udp, length 36 (frag 0:36@72)',
    `${ETHERNET}
    4600003c 00000009 4011d09b 0a000004 0a000105 94040000
    010101010101010101010101010101010101010101010101010101010101010101010101`,
  ),
} as const;

export const ALL_SAMPLES: readonly (readonly [string, SampleFrame])[] = Object.entries(SAMPLES);
