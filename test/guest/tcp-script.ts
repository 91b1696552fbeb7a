// Scripts for one TCP connection of a host, in the manner of packetdrill. The host is `sql` (10.0.0.5:1433 when it
// listens, port 50000 when it connects); the peer is the script. Sequence numbers are relative to each side's SYN.
//
//   peer S 0 | peer . 1 1 [len 10] [win 100]   the peer sends flags, sequence, acknowledgement
//   peer S 0 sack | peer . 1 1 sack 11-21      ... offers selective acknowledgement; tells of bytes beyond a gap
//   host S. 0 1 [len 10]                       the host must send exactly this next
//   nothing                                    the host must have sent nothing more
//   call connect|close|abort|write 10          the user of the host's connection acts
//   state established | result reset           what the connection says
//   data 10 | closed | event reset             what the user was told: bytes in all, that the peer closed, the end
//   wait 999ms                                 time passes
import { Host } from '../../src/guest/host.ts';
import type { TcpConnection, TcpHandlers } from '../../src/guest/tcp/connection.ts';
import { buildFrame, parseFrame, tcpFlagsText, type ParsedFrame, type TcpOptions } from '../../src/wire/index.ts';
import { Lab, MS } from './lab.ts';
import { APP, APP_MAC, SQL, SQL_MAC } from './two-hosts.ts';

const PEER_ISN = 0xffff_fff0; // close to the wrap, so that every script crosses it
const PEER_PORT = 40_000;
const HOST_PORT = 1433;
const ACTIVE_PORT = 50_000;
const FLAG_BITS: Record<string, number> = { F: 1, S: 2, R: 4, P: 8, '.': 16 };

class Script {
  readonly lab = new Lab(1);
  readonly host: Host;
  connection: TcpConnection | undefined;
  readonly inbox: (ParsedFrame & { kind: 'ipv4' })[] = [];
  isn: number | undefined;
  active = false;
  bytes = 0;
  peerClosed = false;
  end: string | undefined;
  line = '';
  readonly mismatches: string[] = [];

  constructor() {
    this.lab.add('peer', { mac: APP_MAC, addresses: [APP] }, () => ({
      receive: (frame) => {
        const parsed = parseFrame(frame);
        if (parsed.kind === 'ipv4' && parsed.tcp !== undefined) this.inbox.push(parsed);
      },
    }));
    const accept = (connection: TcpConnection): TcpHandlers => {
      this.connection = connection;
      return this.handlers();
    };
    this.host = this.lab.add('sql', { mac: SQL_MAC, addresses: [SQL] }, (port) => {
      return new Host(port, { mac: SQL_MAC, addresses: [SQL], arp: false, listen: [HOST_PORT], accept });
    });
  }

  handlers(): TcpHandlers {
    return {
      onData: (bytes) => void (this.bytes += bytes.length),
      onPeerClosed: () => void (this.peerClosed = true),
      // Told twice, it would read `reset closed`.
      onClosed: (how) => void (this.end = this.end === undefined ? how : `${this.end} ${how}`),
    };
  }

  run(text: string): void {
    for (const raw of text.split('\n')) {
      this.line = raw.replace(/#.*/, '').trim();
      const [verb, ...words] = this.line.split(/\s+/);
      if (verb === 'peer') this.peer(words);
      else if (verb === 'host') this.expectHost(words);
      else if (verb === 'call') this.call(words);
      else if (verb === 'wait') this.lab.advance(Number.parseInt(words[0], 10) * MS);
      else if (verb !== '') this.expectFact(verb, words[0]);
    }
  }

  peer(words: string[]): void {
    const [flags, seq, ack, ...rest] = words;
    const length = option(rest, 'len') ?? 0;
    const frame = buildFrame({
      srcMac: APP_MAC,
      dstMac: SQL_MAC,
      src: APP,
      dst: SQL,
      tcp: {
        srcPort: PEER_PORT,
        dstPort: this.active ? ACTIVE_PORT : HOST_PORT,
        seq: PEER_ISN + Number(seq),
        ack: ack === undefined || ack === 'sack' ? 0 : (this.isn ?? 0) + Number(ack),
        flags: flags.split('').reduce((bits, letter) => bits | FLAG_BITS[letter], 0),
        window: option(rest, 'win') ?? 60_000,
        options: flags.includes('S') ? { mss: 1000, sackPermitted: words.includes('sack') } : this.sackOf(rest),
      },
      payload: new Uint8Array(length),
    });
    this.lab.deliver('sql', frame);
    this.settle();
  }

  /** Of the peer: blocks of what the host sent. */
  sackOf(words: string[]): TcpOptions | undefined {
    const at = words.indexOf('sack');
    if (at < 0) return undefined;
    const [start, end] = words[at + 1].split('-').map((text) => ((this.isn ?? 0) + Number(text)) >>> 0);
    return { sackBlocks: [{ start, end }] };
  }

  expectHost(words: string[]): void {
    this.settle();
    const frame = this.inbox.shift();
    if (frame?.tcp !== undefined && (frame.tcp.flags & 2) !== 0) this.isn = frame.tcp.seq;
    this.check(frame === undefined ? 'nothing' : this.textOf(frame), words.join(' '));
  }

  call(words: string[]): void {
    if (words[0] === 'connect') {
      this.active = true;
      this.connection = this.host.connect({ dst: APP, dstPort: PEER_PORT, handlers: this.handlers() });
    } else if (words[0] === 'close') this.connection?.close();
    else if (words[0] === 'abort') this.connection?.abort();
    else this.connection?.write({ fill: Number(words[1]) });
    this.settle();
  }

  expectFact(verb: string, value: string | undefined): void {
    this.settle();
    if (verb === 'nothing') this.check(this.inbox.map((frame) => this.textOf(frame)).join(', '), '');
    else if (verb === 'state') this.check(this.connection?.state, value);
    else if (verb === 'result') this.check(this.connection?.result, value);
    else if (verb === 'data') this.check(String(this.bytes), value);
    else if (verb === 'closed') this.check(String(this.peerClosed), 'true');
    else if (verb === 'event') this.check(this.end ?? 'none', value);
    else throw new Error(`not a script line: ${this.line}`);
  }

  check(actual: string | undefined, expected: string | undefined): void {
    if (actual !== expected) this.mismatches.push(`${this.line} (got: ${actual})`);
  }

  textOf(frame: ParsedFrame & { kind: 'ipv4' }): string {
    const { tcp, payloadLength } = frame;
    if (tcp === undefined) return 'not tcp';
    const seq = (tcp.seq - (this.isn ?? tcp.seq)) | 0;
    const ack = (tcp.flags & 16) === 0 ? '' : ` ${(tcp.ack - PEER_ISN) | 0}`;
    const blocks = (tcp.options.sackBlocks ?? []).map(({ start, end }) => {
      return ` sack ${(start - PEER_ISN) | 0}-${(end - PEER_ISN) | 0}`;
    });
    const data = payloadLength > 0 ? ` len ${payloadLength}` : '';
    return `${tcpFlagsText(tcp.flags)} ${seq}${ack}${data}${blocks.join('')}`;
  }

  /** Long enough for a frame to cross the wire, too short for any timer. */
  settle(): void {
    this.lab.advance(MS);
  }
}

/** Runs a script on a new host; the lines that were not so. Nothing unexpected may be left over at the end. */
export function mismatchesOf(text: string): string[] {
  const script = new Script();
  script.run(`${text}\nnothing`);
  return script.mismatches;
}

function option(words: string[], name: string): number | undefined {
  const at = words.indexOf(name);
  return at < 0 ? undefined : Number(words[at + 1]);
}
