// vnetem rules: effective security rules of a NIC, as Azure's tools show them (DIAG-13).

import { effectiveSecurityRules } from '../../control/compile/effective-rules.ts';
import { JSON_OUTPUT, UsageError } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit.ts';
import { NETWORK_OPTIONS, nicOption, readNetworkInput } from '../input.ts';
import { formatTable, printIssues } from '../output.ts';

export const rules: Command = {
  spec: {
    name: 'rules',
    operands: 'INPUT… --nic NIC',
    summary: "Prints a NIC's effective security rules, group by group; with --json in Azure's own shape.",
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
    if (name === undefined) throw new UsageError('--nic is missing', 'name the NIC whose rules you want');
    const { network, behaviour, issues } = readNetworkInput(args, args.operands);
    const nic = nicOption(network, name);
    const effective = effectiveSecurityRules(network, behaviour, nic.id);
    if (args.flag('json')) {
      output.json(effective);
      return EXIT_OK;
    }
    printIssues(output, issues);
    if (effective.value.length === 0)
      output.line(`${nic.name} has no network security group: all VNet traffic passes (NSG-8)`);
    for (const group of effective.value) {
      const place = group.association.subnet === undefined ? 'NIC' : 'subnet';
      output.line(`${lastSegment(group.networkSecurityGroup.id)} (${place})`);
      const rows = group.effectiveSecurityRules.map((rule) => [
        `  ${rule.direction}`,
        String(rule.priority),
        rule.access,
        rule.protocol,
        endText(rule.sourceAddressPrefixes, rule.sourceAddressPrefix),
        endText(rule.sourcePortRanges, rule.sourcePortRange),
        endText(rule.destinationAddressPrefixes, rule.destinationAddressPrefix),
        endText(rule.destinationPortRanges, rule.destinationPortRange),
        lastSegment(rule.name),
      ]);
      const header = ['  Direction', 'Prio', 'Access', 'Proto', 'Source', 'Ports', 'Destination', 'Ports', 'Rule'];
      for (const line of formatTable([header, ...rows])) output.line(line);
    }
    return EXIT_OK;
  },
};

function lastSegment(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

function endText(many: readonly string[] | undefined, one: string | undefined): string {
  const list = many === undefined || many.length === 0 ? [one ?? ''] : many;
  return list.length > 3 ? `${list.slice(0, 3).join(',')},… (${list.length})` : list.join(',');
}
