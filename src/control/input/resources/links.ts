// References between resources. Real exports tell a link at one end or at both, name resources that are not in the
// input, and spell ids in other cases. Here both ends are merged, absent partners are reported and dropped, and every
// kept reference has the id in the spelling of the resource that it names.

import { idKey } from '../../model/resources.ts';
import type { Reference } from '../../model/resources.ts';
import type { Catalogue, Entry } from './catalogue.ts';
import type { ReferenceAt } from './fields.ts';
import type { IssueList } from '../issue-list.ts';
import { parentId, shortName } from './resource-types.ts';
import type { Kind } from './resource-types.ts';

/** What the readers of single resource kinds share. */
export interface InputContext {
  readonly catalogue: Catalogue;
  readonly links: Links;
  readonly issues: IssueList;
}

/** The resource that a reference names; a warning and undefined when it is not in the input or of another kind. */
export function resolve(
  context: Pick<InputContext, 'catalogue' | 'issues'>,
  reference: ReferenceAt | undefined,
  ...kinds: readonly Kind[]
): Entry | undefined {
  if (reference === undefined) return undefined;
  const entry = context.catalogue.byKey.get(idKey(reference.id));
  if (entry !== undefined && kinds.includes(entry.kind)) return entry;
  const found = entry === undefined ? 'is not in the input' : `is of type ${entry.type}`;
  const message = `${shortName(reference.id)} ${found}; the reference to ${reference.id} was dropped`;
  context.issues.warning('REFERENCE_NOT_FOUND', reference.at, message, 'add the resource to the input if it matters');
  return undefined;
}

/** Like `resolve` for what the model keeps: the reference in the spelling of the resource. */
export function resolveReference(
  context: Pick<InputContext, 'catalogue' | 'issues'>,
  reference: ReferenceAt | undefined,
  ...kinds: readonly Kind[]
): Reference | undefined {
  const entry = resolve(context, reference, ...kinds);
  return entry && { id: entry.id };
}

/** A link has a holder (the end where Azure stores the property) and a partner that may list its holders. */
export type Relation =
  'networkSecurityGroup' | 'routeTable' | 'natGateway' | 'publicIPAddress' | 'privateEndpoint' | 'virtualMachine';

/** Links as told by the partners' end, by relation and holder. */
export class Links {
  readonly #told = new Map<string, ReferenceAt>();

  tell(relation: Relation, holderId: string, partner: ReferenceAt): void {
    this.#told.set(`${relation} ${idKey(holderId)}`, partner);
  }

  toldTo(relation: Relation, holderId: string): ReferenceAt | undefined {
    return this.#told.get(`${relation} ${idKey(holderId)}`);
  }
}

/** Collects every link that is told by the end which does not hold the property. */
export function collectLinks(catalogue: Catalogue, issues: IssueList): Links {
  const links = new Links();
  const context = { catalogue, issues };
  const tell = (relation: Relation, kind: Kind, list: string, holderKind: Kind): void => {
    for (const partner of catalogue.ofKind(kind)) {
      for (const reference of partner.fields.references(list)) {
        const holder = resolve(context, reference, holderKind);
        if (holder !== undefined) links.tell(relation, holder.id, { id: partner.id, at: reference.at });
      }
    }
  };
  tell('networkSecurityGroup', 'networkSecurityGroup', 'subnets', 'subnet');
  tell('networkSecurityGroup', 'networkSecurityGroup', 'networkInterfaces', 'networkInterface');
  tell('routeTable', 'routeTable', 'subnets', 'subnet');
  tell('natGateway', 'natGateway', 'subnets', 'subnet');
  tell('privateEndpoint', 'privateEndpoint', 'networkInterfaces', 'networkInterface');
  for (const address of catalogue.ofKind('publicIPAddress')) tellHolderOfAddress(catalogue, links, address);
  for (const machine of catalogue.ofKind('virtualMachine')) {
    for (const reference of machine.fields.child('networkProfile')?.references('networkInterfaces') ?? []) {
      links.tell('virtualMachine', reference.id, { id: machine.id, at: reference.at });
    }
  }
  return links;
}

/** A public address names the IP configuration that uses it: of an interface, a gateway or a load balancer. */
function tellHolderOfAddress(catalogue: Catalogue, links: Links, address: Entry): void {
  const reference = address.fields.reference('ipConfiguration');
  if (reference === undefined) return;
  const holder = catalogue.byKey.get(idKey(parentId(reference.id)));
  if (holder?.kind !== 'networkInterface' && holder?.kind !== 'loadBalancer') return;
  links.tell('publicIPAddress', reference.id, { id: address.id, at: reference.at });
}

/** A link merged from both ends; where they differ, the holder's end counts and a warning says so. */
export function mergeLink(
  context: InputContext,
  relation: Relation,
  holderId: string,
  stated: ReferenceAt | undefined,
): Reference | undefined {
  const told = context.links.toldTo(relation, holderId);
  const ownEntry = resolve(context, stated, relation);
  if (told === undefined) return ownEntry && { id: ownEntry.id };
  if (ownEntry === undefined) return { id: told.id };
  if (idKey(ownEntry.id) !== idKey(told.id)) {
    const holder = shortName(holderId);
    const own = shortName(ownEntry.id);
    const message = `${shortName(told.id)} lists ${holder}, but ${holder} names ${own}, which counts`;
    context.issues.warning('LINK_CONFLICT', told.at, message, 'make both ends of the link name each other');
  }
  return { id: ownEntry.id };
}
