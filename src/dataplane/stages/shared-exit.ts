// Exits that several networks share: the platform, public services behind service endpoints, and the service side of a
// private endpoint. Networks may overlap, so a five-tuple alone does not say whose it is: every connection there has
// a binding, and a tuple that another sender already uses gets another source port.
//
// Reads   egress, replyTo, new addresses.     Writes  newSrcPort; on the way back egress and addresses.
// Drops   NO_SUCH_DESTINATION (nobody's connection).

import { DROP } from '../../abi/drop-reasons.ts';
import { NONE, PROV_TRANSLATION, STAGE, TRANSLATION } from '../../abi/provenance.ts';
import { RECORD_WORDS } from '../../abi/regions.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import { EGRESS_MASK, R_EGRESS, R_NEW_DST, R_NEW_PORTS, R_NEW_SRC } from '../flow-table.ts';
import { dropAt, type Pass } from '../pass.ts';
import { ownerAttachment, swap16, swap32, type Tables } from '../tables.ts';

const PORT_FIRST = 1024;
const PORT_LAST = 65_535;

/** The source port to use at `pass.egress`: the sender's own unless another sender's live binding has the tuple. */
export function freeSourcePort(pass: Pass, context: Context): number {
  const { connections, tables } = context;
  const { records } = connections.table;
  if (pass.protocol !== PROTOCOL_TCP && pass.protocol !== PROTOCOL_UDP) return pass.srcPort;
  let port = pass.srcPort;
  for (let tries = PORT_LAST; tries > 0; tries--) {
    const binding = connections.find(pass.egress, pass.protocol, pass.newDst, pass.newSrc, pass.newDstPort, port);
    pass.peer = binding;
    if (binding === 0 || !connections.isBound(binding, pass.now, tables)) return port;
    const e = binding * RECORD_WORDS;
    const isOwn =
      (records[e + R_EGRESS] & EGRESS_MASK) === pass.replyTo &&
      records[e + R_NEW_DST] === swap32(pass.src) &&
      records[e + R_NEW_PORTS] >>> 16 === swap16(pass.srcPort);
    if (isOwn) return port;
    port = port >= PORT_LAST ? PORT_FIRST : port + 1;
  }
  pass.peer = NONE;
  return pass.srcPort;
}

/** Towards the platform or a public service: the reply goes back to the sender. */
export function sharedExitStage(pass: Pass, context: Context): void {
  pass.replyTo = pass.ingress;
  pass.newSrcPort = freeSourcePort(pass, context);
  if (pass.newSrcPort !== pass.srcPort) pass.provenance[PROV_TRANSLATION] = TRANSLATION.exitPort;
}

/** From the platform or a public service: the binding says to whom. The platform's probes (WIRE-18) open connections
 * of their own, to whoever owns the address. */
export function sharedExitReplyStage(pass: Pass, context: Context, opens: boolean): void {
  const { connections, tables } = context;
  if (pass.record !== 0 && connections.isBound(pass.record, pass.now, tables)) {
    const { records } = connections.table;
    const e = pass.record * RECORD_WORDS;
    pass.egress = records[e + R_EGRESS] & EGRESS_MASK;
    pass.newSrc = swap32(records[e + R_NEW_SRC]);
    pass.newDst = swap32(records[e + R_NEW_DST]);
    pass.newSrcPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
    pass.newDstPort = swap16(records[e + R_NEW_PORTS] >>> 16);
    if (pass.newDstPort !== pass.dstPort) pass.provenance[PROV_TRANSLATION] = TRANSLATION.exitPort;
    return;
  }
  const network = (pass.facts >>> 17) - 1;
  if (opens) pass.egress = network < 0 ? anyOwner(tables, pass.dst) : ownerAttachment(tables, network, pass.dst);
  if (pass.egress < 0) dropAt(pass, DROP.NO_SUCH_DESTINATION, STAGE.route, pass.ingress);
}

function anyOwner(tables: Tables, address: number): number {
  for (let network = 0; network < tables.program.vnets.count; network++) {
    const owner = ownerAttachment(tables, network, address);
    if (owner >= 0) return owner;
  }
  return -1;
}
