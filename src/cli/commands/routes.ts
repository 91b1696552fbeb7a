// vnetem routes: effective routes of a NIC, as Azure's tools show them (DIAG-10, DIAG-11).

import { effectiveRoutes, effectiveRoutesJson } from '../../control/compile/effective-routes.ts';
import { JSON_OUTPUT, UsageError } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit.ts';
import { NETWORK_OPTIONS, nicOption, readNetworkInput } from '../input.ts';
import { formatTable, printIssues } from '../output.ts';

export const routes: Command = {
  spec: {
    name: 'routes',
    operands: 'INPUT… --nic NIC',
    summary: "Prints a NIC's effective routes; with --json in Azure's own shape.",
    options: [
      { name: 'nic', kind: 'value', value: 'NIC', text: 'name or resource id of the NIC' },
      ...NETWORK_OPTIONS,
      JSON_OUTPUT,
    ],
    operandsMin: 1,
    operandsMax: Infinity,
  },
  run(args, output) {
    const name = args.value('nic');
    if (name === undefined) throw new UsageError('--nic is missing', 'name the NIC whose routes you want');
    const { network, behaviour, issues } = readNetworkInput(args, args.operands);
    const nic = nicOption(network, name);
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
