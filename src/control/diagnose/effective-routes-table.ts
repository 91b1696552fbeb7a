// Effective routes of a NIC as the command line prints them (DIAG-11), and as JSON (DIAG-10). A private endpoint's own
// interface shows none (DIAG-12, PNSG-8).

import type { Compiled } from '../compile/compiled.ts';
import { effectiveRoutesJson, type EffectiveRouteJson } from '../compile/effective-routes.ts';
import { createContext } from '../compile/context.ts';
import { idKey } from '../model/resources.ts';
import { NotAvailable } from './attached-nic.ts';

const HEADINGS = ['Source', 'State', 'Address Prefix', 'Next Hop Type', 'Next Hop IP'] as const;

/** Effective routes of a NIC by its id. Throws NotAvailable when it is not a NIC of the network. */
export function effectiveRoutesOfNic(
  { network, behaviour }: Compiled,
  nicId: string,
): { readonly value: readonly EffectiveRouteJson[] } {
  const nic = createContext(network, behaviour).nics.find(({ key }) => key === idKey(nicId));
  if (nic === undefined) throw new NotAvailable(`${nicId} is no network interface: it has no effective routes`);
  return effectiveRoutesJson(network, behaviour, nic.place.subnet.id);
}

/** The rows of a table: headings, rules, then one line per route, columns two spaces apart. */
export function effectiveRoutesTable(routes: readonly EffectiveRouteJson[]): string[] {
  const rows = routes.map((route) => [
    route.source,
    route.state,
    route.addressPrefix.join(' '),
    route.nextHopType,
    route.nextHopIpAddress.join(' '),
  ]);
  const widths = HEADINGS.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const dashes = widths.map((width) => '-'.repeat(width));
  return [[...HEADINGS], dashes, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
