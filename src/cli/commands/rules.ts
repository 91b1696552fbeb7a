// vnetem rules: effective security rules of a NIC, as Azure's tools show them (DIAG-13).

import { effectiveSecurityRules } from '../../control/compile/effective-rules.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit.ts';
import { NIC_COMMAND, readNic } from '../input.ts';
import { formatTable, printIssues } from '../output.ts';

export const rules: Command = {
  spec: {
    name: 'rules',
    operands: 'INPUT… --nic NIC',
    summary: "Prints a NIC's effective security rules, group by group; with --json in Azure's own shape.",
    ...NIC_COMMAND,
  },
  run(args, output) {
    const { network, behaviour, issues, nic } = readNic(args);
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
