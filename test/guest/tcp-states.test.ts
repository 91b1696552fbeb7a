// The TCP state machine, event by event (RFC 9293 section 3.10). See tcp-script.ts for the notation.
import { describe, expect, test } from 'vitest';
import { mismatchesOf } from './tcp-script.ts';

const ACCEPTED = `
  peer S 0
  host S. 0 1
  peer . 1 1
  state established`;
const CONNECTED = `
  call connect
  host S 0
  peer S. 0 1
  host . 1 1
  state established`;
const FIN_WAIT_1 = `${ACCEPTED}
  call close
  host F. 1 1
  state finWait1`;
const FIN_WAIT_2 = `${FIN_WAIT_1}
  peer . 1 2
  state finWait2`;
const CLOSE_WAIT = `${ACCEPTED}
  peer F. 1 1
  host . 1 2
  closed
  state closeWait`;
const CLOSING = `${FIN_WAIT_1}
  peer F. 1 1
  host . 2 2
  state closing`;
const LAST_ACK = `${CLOSE_WAIT}
  call close
  host F. 1 2
  state lastAck`;
const TIME_WAIT = `${FIN_WAIT_2}
  peer F. 1 2
  host . 2 2
  state timeWait
  event closed`;

function cases(table: Record<string, string>): void {
  test.each(Object.entries(table))('%s', (_name, script) => {
    expect(mismatchesOf(script)).toEqual([]);
  });
}

describe('no connection', () => {
  cases({
    'listen_ack without a SYN: RST with its acknowledgement': 'peer . 5 7\n host R 0',
    'listen_fin: RST that acknowledges the FIN': 'peer F 5\n host R. 0 6',
    'listen_data without ACK: RST that acknowledges the data': 'peer P 5 0 len 10\n host R. 0 15',
    'listen_rst: nothing': 'peer R 5',
    'listen_synAck: RST': 'peer S. 5 7\n host R 0',
  });
});

describe('SYN-SENT', () => {
  const start = 'call connect\n host S 0\n';
  cases({
    'synSent_synAck: established, and the ACK goes alone': `${CONNECTED}\n result established`,
    'synSent_synAck_dataWaiting: data follows the ACK': `call connect
      call write 10
      host S 0
      peer S. 0 1
      host . 1 1
      host P. 1 1 len 10
      peer . 1 11`,
    'synSent_badAck: RST, and waits on': `${start} peer . 0 5\n host R 5\n state synSent`,
    'synSent_rst without ACK: ignored': `${start} peer R 0\n state synSent`,
    'synSent_rst that acknowledges the SYN: reset': `${start} peer R. 0 1\n state closed\n result reset\n event reset`,
    'synSent_rst that acknowledges something else: ignored': `${start} peer R. 0 9\n state synSent`,
    'synSent_syn: simultaneous open': `${start} peer S 0
      host S. 0 1
      state synReceived
      peer S. 0 1
      host S. 0 1        # the same SYN again: the same answer
      peer . 1 1
      state established`,
    'synSent_close: gone without a word': `${start} call close\n state closed\n event closed`,
    'synSent_abort: gone without a word': `${start} call abort\n state closed\n result reset`,
    'synSent_finAlone: ignored': `${start} peer F 0\n state synSent`,
  });
});

describe('SYN-RECEIVED', () => {
  const start = 'peer S 0\n host S. 0 1\n state synReceived\n';
  cases({
    'synReceived_ack: established': `${start} peer . 1 1\n state established\n result established`,
    'synReceived_ack with data: established, data handed on': `${start} peer P. 1 1 len 10
      host . 1 11
      state established
      data 10`,
    'synReceived_badAck: RST, and waits on': `${start} peer . 1 77\n host R 77\n state synReceived`,
    'synReceived_syn again: the same SYN-ACK again': `${start} peer S 0\n host S. 0 1\n state synReceived`,
    'synReceived_rst: gone': `${start} peer R 1\n state closed\n event reset`,
    'synReceived_rst outside the window: ignored': `${start} peer R 90000\n state synReceived`,
    'synReceived_fin: established and closed by the peer in one': `${start} peer F. 1 1
      host . 1 2
      state closeWait
      closed`,
    'synReceived_close: the FIN follows the handshake': `${start} call close
      nothing
      peer . 1 1
      host F. 1 1
      state finWait1`,
  });
});

describe('ESTABLISHED', () => {
  cases({
    'established_data: acknowledged at once': `${ACCEPTED}\n peer P. 1 1 len 100\n host . 1 101\n data 100`,
    'established_data twice: acknowledged again, handed on once': `${ACCEPTED}
      peer P. 1 1 len 100
      host . 1 101
      peer P. 1 1 len 100
      host . 1 101
      data 100`,
    'established_data with a gap: waits for the gap': `${ACCEPTED}
      peer . 101 1 len 100
      host . 1 1
      data 0
      peer . 1 1 len 100
      host . 1 201
      data 200`,
    'established_data overlapping what is there: every byte once': `${ACCEPTED}
      peer . 51 1 len 100
      host . 1 1
      peer . 1 1 len 100
      host . 1 151
      data 150`,
    'established_data beyond the window: refused': `${ACCEPTED}\n peer . 70000 1 len 10\n host . 1 1\n data 0`,
    'established_data beyond the FIN: not handed on': `${ACCEPTED}
      peer F. 11 1
      host . 1 1
      peer P. 1 1 len 30
      host . 1 12
      data 10
      state closeWait`,
    'established_write: segments of the peer MSS, PSH on the last': `${ACCEPTED}
      call write 2500
      host . 1 1 len 1000
      host . 1001 1 len 1000
      host P. 2001 1 len 500
      peer . 1 2501`,
    'established_write larger than the peer window: waits': `${ACCEPTED}
      peer . 1 1 win 1500
      call write 2500
      host . 1 1 len 1000
      nothing
      peer . 1 1001 win 1500
      host . 1001 1 len 1000
      peer . 1 2001 win 1500
      host P. 2001 1 len 500
      peer . 1 2501`,
    'established_ack of what was never sent: told what is': `${ACCEPTED}
      peer . 1 500
      host . 1 1
      state established`,
    'established_ackOld: harmless': `${ACCEPTED}
      call write 10
      host P. 1 1 len 10
      peer . 1 11
      peer . 1 5
      state established`,
    'established_syn in the window: challenged': `${ACCEPTED}\n peer S 5\n host . 1 1\n state established`,
    'established_syn old: told what is': `${ACCEPTED}\n peer S 0\n host . 1 1\n state established`,
    'established_rst at the expected sequence: reset': `${ACCEPTED}
      peer R 1
      state closed
      result reset
      event reset`,
    'established_rst elsewhere in the window: challenged': `${ACCEPTED}\n peer R 100\n host . 1 1\n state established`,
    'established_rst outside the window: ignored': `${ACCEPTED}\n peer R 90000\n state established`,
    'established_data without ACK: dropped': `${ACCEPTED}\n peer P 1 0 len 10\n data 0\n state established`,
    'established_abort: RST': `${ACCEPTED}\n call abort\n host R. 1 1\n state closed\n event reset`,
    'established_after abort: RST for what still comes': `${ACCEPTED}
      call abort
      host R. 1 1
      peer P. 1 1 len 5
      host R 1`,
    'established_three duplicate ACKs: fast retransmit': `${ACCEPTED}
      call write 5000
      host . 1 1 len 1000
      host . 1001 1 len 1000
      host . 2001 1 len 1000
      host . 3001 1 len 1000
      host P. 4001 1 len 1000
      peer . 1 1
      peer . 1 1
      nothing
      peer . 1 1
      host . 1 1 len 1000
      peer . 1 1
      nothing
      peer . 1 5001`,
    'established_closed window: probed with one byte for as long as the peer answers': `${ACCEPTED}
      peer . 1 1 win 0
      call write 10
      nothing
      wait 300ms
      host . 1 1 len 1
      peer . 1 1 win 0
      wait 900ms
      host . 1 1 len 1
      peer . 1 1 win 100
      host P. 1 1 len 10
      peer . 1 11`,
  });
});

describe('closing', () => {
  cases({
    'finWait1_ack: half closed': FIN_WAIT_2,
    'finWait1_fin: simultaneous close': CLOSING,
    'finWait1_fin with the ACK of ours: TIME-WAIT': `${FIN_WAIT_1}
      peer F. 1 2
      host . 2 2
      state timeWait
      event closed`,
    'finWait1_rst: reset': `${FIN_WAIT_1}\n peer R 1\n state closed\n event reset`,
    'finWait1_data: still received': `${FIN_WAIT_1}\n peer P. 1 1 len 10\n host . 2 11\n data 10`,
    'finWait1_write: refused': `${FIN_WAIT_1}\n call write 10\n nothing`,
    'finWait2_data: still received': `${FIN_WAIT_2}\n peer P. 1 2 len 10\n host . 2 11\n data 10\n state finWait2`,
    'finWait2_fin: TIME-WAIT': TIME_WAIT,
    'finWait2_fin with a gap before it: waits': `${FIN_WAIT_2}
      peer F. 11 2
      host . 2 1
      state finWait2
      peer . 1 2 len 10
      host . 2 12
      state timeWait
      data 10`,
    'finWait2_rst: reset': `${FIN_WAIT_2}\n peer R 1\n state closed\n event reset`,
    'established_close with data queued: FIN on the last segment': `${ACCEPTED}
      peer . 1 1 win 1000
      call write 1500
      call close
      host . 1 1 len 1000
      peer . 1 1001
      host FP. 1001 1 len 500
      peer . 1 1502
      state finWait2`,
    'closeWait_write: data still goes': `${CLOSE_WAIT}
      call write 10
      host P. 1 2 len 10
      peer . 2 11
      state closeWait`,
    'closeWait_close: LAST-ACK': LAST_ACK,
    'closeWait_data after the FIN: not handed on': `${CLOSE_WAIT}\n peer P. 2 1 len 10\n host . 1 2\n data 0`,
    'closeWait_rst: reset': `${CLOSE_WAIT}\n peer R 2\n state closed\n event reset`,
    'lastAck_ack: closed': `${LAST_ACK}\n peer . 2 2\n state closed\n result closed\n event closed`,
    'lastAck_fin again: acknowledged again': `${LAST_ACK}\n peer F. 1 1\n host . 2 2\n state lastAck`,
    'lastAck_rst: reset': `${LAST_ACK}\n peer R 2\n state closed\n event reset`,
    'closing_ack: TIME-WAIT': `${CLOSING}\n peer . 2 2\n state timeWait\n event closed`,
    'closing_rst: reset': `${CLOSING}\n peer R 2\n state closed\n event reset`,
    'timeWait_fin again: acknowledged again': `${TIME_WAIT}\n peer F. 1 2\n host . 2 2\n state timeWait`,
    'timeWait_fin after 59 s: another 60 s': `${TIME_WAIT}
      wait 59000ms
      peer F. 1 2
      host . 2 2
      wait 59000ms
      peer F. 1 2
      host . 2 2
      state timeWait`,
    'timeWait_after 60 s: gone, so RST': `${TIME_WAIT}\n wait 60000ms\n peer F. 1 2\n host R 2`,
    'timeWait_rst: gone, still closed and not reset': `${TIME_WAIT}\n peer R 2\n state closed\n result closed`,
    'timeWait_new syn: a new connection': `${TIME_WAIT}\n peer S 5000\n host S. 0 5001\n state synReceived`,
    'timeWait_old syn: told what is': `${TIME_WAIT}\n peer S 0\n host . 2 2\n state timeWait`,
  });
});

describe('selective acknowledgement', () => {
  const start = `
    peer S 0 sack
    host S. 0 1
    peer . 1 1`;
  cases({
    'established_gap: told where it is, the latest arrival first': `${start}
      peer . 101 1 len 100
      host . 1 1 sack 101-201
      peer . 301 1 len 100
      host . 1 1 sack 301-401 sack 101-201
      peer . 201 1 len 100
      host . 1 1 sack 101-401
      peer . 1 1 len 100
      host . 1 401
      data 400`,
    'established_duplicate ACKs without blocks: no proof of loss': `${start}
      call write 2000
      host . 1 1 len 1000
      host P. 1001 1 len 1000
      peer . 1 1
      peer . 1 1
      peer . 1 1
      peer . 1 1
      nothing
      peer . 1 2001`,
    'established_duplicate ACKs with blocks: fast retransmit': `${start}
      call write 2000
      host . 1 1 len 1000
      host P. 1001 1 len 1000
      peer . 1 1 sack 1001-1501
      peer . 1 1 sack 1001-1801
      peer . 1 1 sack 1001-2001
      host . 1 1 len 1000
      peer . 1 2001`,
  });
});

describe('timers', () => {
  cases({
    'synSent_timeout: six more tries, 1, 2, 4, ... s apart, then timed out': `call connect
      host S 0
      wait 990ms
      nothing
      wait 10ms
      host S 0
      wait 2000ms
      host S 0
      wait 4000ms
      host S 0
      wait 8000ms
      host S 0
      wait 16000ms
      host S 0
      wait 32000ms
      host S 0
      wait 59000ms
      state synSent
      wait 1500ms
      state closed
      result timedOut
      event timedOut`,
    'established_timeout: sent again after the retransmission time, which doubles': `${ACCEPTED}
      call write 10
      host P. 1 1 len 10
      wait 190ms
      nothing
      wait 20ms
      host P. 1 1 len 10
      wait 350ms
      nothing
      wait 60ms
      host P. 1 1 len 10
      peer . 1 11`,
    'established_timeout: eight tries, then timed out': `${ACCEPTED}
      call write 10
      host P. 1 1 len 10
      wait 60000ms
      host P. 1 1 len 10
      host P. 1 1 len 10
      host P. 1 1 len 10
      host P. 1 1 len 10
      host P. 1 1 len 10
      host P. 1 1 len 10
      host P. 1 1 len 10
      host P. 1 1 len 10
      wait 60000ms
      nothing
      result timedOut
      event timedOut`,
    'finWait1_timeout: the FIN again': `${FIN_WAIT_1}\n wait 300ms\n host F. 1 1\n peer . 1 2\n state finWait2`,
    'lastAck_timeout: the FIN again': `${LAST_ACK}\n wait 300ms\n host F. 1 2\n peer . 2 2\n state closed`,
    'synReceived_timeout: the SYN-ACK again':
      'peer S 0\n host S. 0 1\n wait 1100ms\n host S. 0 1\n peer . 1 1\n state established',
    'established_timeout, then data: acknowledged with the highest sequence number': `${ACCEPTED}
      call write 2000
      host . 1 1 len 1000
      host P. 1001 1 len 1000
      wait 300ms
      host . 1 1 len 1000
      peer P. 1 1 len 10
      host . 2001 11
      peer . 11 2001`,
    'established_timeout with several segments: the first again, the rest when it is acknowledged': `${ACCEPTED}
      call write 3000
      host . 1 1 len 1000
      host . 1001 1 len 1000
      host P. 2001 1 len 1000
      wait 300ms
      host . 1 1 len 1000
      nothing
      peer . 1 3001
      nothing`,
  });
});
