// Capture points: the places where frames are seen, by their Azure names. A NIC is one point; with IP forwarding it is
// two (`nva.in`, `nva.out`), so that Wireshark does not take forwarded segments for retransmissions; a private endpoint
// has a consumer and a provider side; every exit is one.

import {
  NONE,
  PROV_DROP,
  PROV_DROP_AT,
  PROV_EGRESS,
  PROV_ENDPOINT,
  PROV_INGRESS,
  PROV_STAGE,
  PROV_TRANSLATION,
  STAGE,
  TRANSLATION,
} from '../../abi/provenance.ts';
import { DROP } from '../../abi/drop-reasons.ts';
import { lastSegment } from '../diagnose/words.ts';
import type { AttachmentInfo, EndpointInfo, SideTable } from '../compile/compiled.ts';
import type { TapPhase } from '../engine/engine.ts';
import type { Direction } from './pcapng-format.ts';

export interface CapturePoint {
  /** `app`, `nva.in`, `pe-sqlmi.consumer`, `internet`, `onprem:hub`. */
  readonly name: string;
  /** The NIC, endpoint or exit it belongs to. */
  readonly owner: string;
  /** For people: `NIC app, 10.0.0.4, hub/app`. */
  readonly description: string;
  /** Same point, same key, whatever the epoch. */
  readonly key: string;
}

/** A frame seen at a point; the direction is that of the guest, the exit or the endpoint behind the point. */
export interface Sighting {
  readonly point: CapturePoint;
  readonly direction: Direction;
}

/** All points of a network, in the order of its attachments and endpoints. */
export function capturePoints(sideTable: SideTable): CapturePoint[] {
  const points: CapturePoint[] = [];
  for (const attachment of sideTable.attachments) {
    if (attachment === undefined) continue;
    points.push(attachmentPoint(attachment, sideTable, 'inbound'));
    if (hasTwoSides(attachment)) points.push(attachmentPoint(attachment, sideTable, 'outbound'));
  }
  return [...points, ...sideTable.endpoints.map(consumerPoint)];
}

/**
 * Where a tap record was seen. The frame as sent was at the sender's point, and on the consumer side of an endpoint
 * that took or refused it; the frame as received was at the receiver's point, and before that, for the reply of a
 * service, on the consumer side of its endpoint. A dropped frame thus stays at the sender's point.
 */
export function sightingsOf(phase: TapPhase, provenance: Int32Array, sideTable: SideTable): Sighting[] {
  const endpoint = sideTable.endpoints[word(provenance, PROV_ENDPOINT)];
  const translation = word(provenance, PROV_TRANSLATION);
  const consumer = endpoint === undefined ? undefined : consumerPoint(endpoint);
  if (phase === 'before') {
    const sent = pointOf(word(provenance, PROV_INGRESS), sideTable, 'outbound');
    const isAtEndpoint = translation === TRANSLATION.endpoint || isRefusedByEndpoint(provenance, sideTable);
    return consumer !== undefined && isAtEndpoint ? [sent, { point: consumer, direction: 'inbound' }] : [sent];
  }
  const egress = word(provenance, PROV_EGRESS);
  // The fabric's own answer goes back to where the question came from.
  const receiver = egress === NONE ? word(provenance, PROV_INGRESS) : egress;
  const received = pointOf(receiver, sideTable, 'inbound');
  const isReply = translation === TRANSLATION.endpointReply;
  return consumer !== undefined && isReply ? [{ point: consumer, direction: 'outbound' }, received] : [received];
}

/** Refused by the rules in front of the endpoint or by its admission. */
function isRefusedByEndpoint(provenance: Int32Array, sideTable: SideTable): boolean {
  if (word(provenance, PROV_DROP) === DROP.NONE || word(provenance, PROV_DROP_AT) !== NONE) return false;
  if (sideTable.attachments[word(provenance, PROV_INGRESS)]?.kind === 'provider') return false;
  const stage = word(provenance, PROV_STAGE);
  return stage === STAGE.admission || stage === STAGE.subnetNsg;
}

function pointOf(attachment: number, sideTable: SideTable, direction: Direction): Sighting {
  const info = sideTable.attachments[attachment];
  if (info !== undefined) return { point: attachmentPoint(info, sideTable, direction), direction };
  const name = `attachment-${attachment}`;
  const description = `attachment ${attachment}, removed from the network`;
  return { point: { name, owner: name, description, key: name }, direction };
}

function attachmentPoint(info: AttachmentInfo, sideTable: SideTable, direction: Direction): CapturePoint {
  const side = sideOf(info, direction);
  const name = side === undefined ? info.name : `${info.name}.${side}`;
  const key = pointKey(info.kind, info.id, info.name, side);
  return { name, owner: info.name, description: describe(info, sideTable, direction), key };
}

function hasTwoSides(info: AttachmentInfo): boolean {
  return info.kind === 'nic' && info.ipForwarding === true;
}

function sideOf(info: AttachmentInfo, direction: Direction): string | undefined {
  if (info.kind === 'provider') return 'provider';
  if (!hasTwoSides(info)) return undefined;
  return direction === 'inbound' ? 'in' : 'out';
}

function describe(info: AttachmentInfo, sideTable: SideTable, direction: Direction): string {
  switch (info.kind) {
    case 'nic': {
      const subnet = [info.vnet, info.subnet].filter((part) => part !== undefined).map(lastSegment);
      const parts = [`NIC ${info.name}`, info.address, subnet.length === 0 ? undefined : subnet.join('/')];
      if (hasTwoSides(info)) parts.push(direction === 'inbound' ? 'frames it receives' : 'frames it sends');
      return parts.filter((part) => part !== undefined).join(', ');
    }
    case 'provider': {
      const endpoint = endpointOf(info, sideTable);
      const service = endpoint === undefined ? '' : `: ${endpoint.target}`;
      return `private endpoint ${info.name}, provider side${service}`;
    }
    case 'internet':
      return 'Internet';
    case 'onPremises':
      return info.vnet === undefined ? 'on-premises' : `on-premises, behind the gateway of ${lastSegment(info.vnet)}`;
    case 'platform':
      return 'platform, 168.63.129.16 and 169.254.169.254';
    case 'service':
      return 'public services behind service endpoints';
    case 'gone':
      break;
  }
  return `${info.name}, removed from the network`;
}

function endpointOf(info: AttachmentInfo, sideTable: SideTable): EndpointInfo | undefined {
  const byId = sideTable.endpoints.find((endpoint) => endpoint.id.toLowerCase() === info.id.toLowerCase());
  return byId ?? sideTable.endpoints.find((endpoint) => endpoint.name === info.name);
}

function consumerPoint(endpoint: EndpointInfo): CapturePoint {
  return {
    name: `${endpoint.name}.consumer`,
    owner: endpoint.name,
    description: `private endpoint ${endpoint.name}, ${endpoint.address}, ${lastSegment(endpoint.vnet)}, consumer side`,
    key: pointKey('endpoint', endpoint.id, endpoint.name, 'consumer'),
  };
}

// Resource ids are unique without regard to case; exits have none.
function pointKey(kind: string, id: string, name: string, side: string | undefined): string {
  return `${kind}:${id === '' ? name : id.toLowerCase()}:${side ?? ''}`;
}

function word(provenance: Int32Array, index: number): number {
  const value = provenance[index];
  if (value === undefined) throw new RangeError(`a provenance row has no word ${index}`);
  return value;
}
