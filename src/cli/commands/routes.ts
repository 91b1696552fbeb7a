// vnetem routes: effective routes of a NIC, as Azure's tools show them (DIAG-10, DIAG-11).

import { effectiveRoutes, effectiveRoutesJson } from '../../control/compile/effective-routes.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit.ts';
import { NIC_COMMAND, readNic } from '../input.ts';
import { formatTable, printIssues } from '../output.ts';

export const routes: Command = {
  spec: {
    name: 'routes',
    operands: 'INPUT… --nic NIC',
    summary: "Prints a NIC's effective routes; with --json in Azure's own shape.",
    ...NIC_COMMAND,
  },
  run(args, output) {
    const { network, behaviour, issues, nic } = readNic(args);
    const subnet = nic.properties.ipConfigurations[0]?.properties.subnet.id ?? '';
    if (args.flag('json')) {
      output.json(effectiveRoutesJson(network, behaviour, subnet));
      return EXIT_OK;
    }
    printIssues(output, issues);
    const rows = effectiveRoutes(network, behaviour, subnet).map((route) => [
      route.source,
      route.state,
      route.prefix,
      route.nextHopType,
      route.nextHopIpAddress ?? '',
      route.location === undefined ? '' : `${route.location.file}:${route.location.line}`,
    ]);
    const header = ['Source', 'State', 'Address Prefix', 'Next Hop Type', 'Next Hop IP', 'Defined at'];
    for (const line of formatTable([header, ...rows])) output.line(line.trimEnd());
    return EXIT_OK;
  },
};
