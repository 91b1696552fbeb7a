// Connection state at the sender: finds the guest's own record and decides whether rules are skipped.
//
// Reads   addresses, ports, tcpFlags.     Writes  record, established, fresh.
// Drops   NO_REVERSE_FLOW (service side without a flow, PE-22, PE-23), NOT_A_SYN (switch nsg.requireSyn).

import { DROP } from '../../abi/drop-reasons.ts';
import { ATTACHMENT, NIC_REQUIRE_SYN } from '../../abi/program.ts';
import { NONE, PROV_ENDPOINT, PROV_ESTABLISHED, STAGE } from '../../abi/provenance.ts';
import { COLD_WORDS } from '../../abi/regions.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../../wire/tcp.ts';
import type { Context } from '../context.ts';
import { C_FLUSH, C_STATE, STATE_FORWARD } from '../flow-table.ts';
import { dropAt, type Pass } from '../pass.ts';

/** True for the SYN of a new connection. */
export function isBareSyn(pass: Pass): boolean {
  return pass.protocol === PROTOCOL_TCP && (pass.tcpFlags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_SYN;
}

export function stateStage(pass: Pass, context: Context): void {
  const { connections, tables } = context;
  pass.record = pass.known;
  if (pass.known === NONE) {
    pass.record = connections.find(pass.ingress, pass.protocol, pass.src, pass.dst, pass.srcPort, pass.dstPort);
  }
  // NSG-35: a SYN on an existing tuple destroys the connection and makes it anew.
  pass.fresh = isBareSyn(pass) ? 1 : 0;
  if (pass.kind === ATTACHMENT.provider) return providerState(pass, context);
  if (pass.record !== 0 && pass.fresh === 0 && connections.isLive(pass.record, pass.now)) {
    pass.established = isFlushed(pass, context, pass.record, pass.ingress) ? 0 : 1;
    pass.provenance[PROV_ESTABLISHED] |= pass.established;
  }
  if (pass.established === 1 || pass.fresh === 1 || pass.protocol !== PROTOCOL_TCP) return;
  if ((tables.program.attachments.flags[pass.ingress] & NIC_REQUIRE_SYN) === 0) return;
  dropAt(pass, DROP.NOT_A_SYN, STAGE.egress, pass.ingress);
}

/** The service side never opens a flow; what it sends rides on the binding alone (PE-22, PE-23, ROUTE-44). */
function providerState(pass: Pass, context: Context): void {
  const { connections, tables } = context;
  pass.provenance[PROV_ENDPOINT] = tables.endpointOfProvider[pass.ingress];
  const bound = pass.record !== 0 && pass.fresh === 0 && connections.isBound(pass.record, pass.now, tables);
  if (!bound) return dropAt(pass, DROP.NO_REVERSE_FLOW, STAGE.egress, pass.ingress);
  pass.established = 1;
  pass.provenance[PROV_ESTABLISHED] |= 1;
}

/** True when a group with flushConnection changed since the rules were asked; only forward packets ask again
 * (NSG-29, NSG-37). */
export function isFlushed(pass: Pass, context: Context, record: number, attachment: number): boolean {
  const { cold } = context.connections.table;
  const own = pass.record;
  if (own === 0 || (cold[own * COLD_WORDS + C_STATE] & STATE_FORWARD) === 0) return false;
  const current = context.tables.program.attachments.flushGeneration[attachment];
  return cold[record * COLD_WORDS + C_FLUSH] !== current;
}
