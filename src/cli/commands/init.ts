// vnetem init: a small working topology and scenario to start from.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JSON_OUTPUT } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_BAD_INPUT, EXIT_OK } from '../exit.ts';

const TOPOLOGY = `# A network with an application, a database behind a private endpoint, and one rule too many.
# yaml-language-server: $schema=https://unpkg.com/vnetem/schemas/topology.schema.json
virtualNetworks:
  vnet:
    addressSpace: 10.0.0.0/16
    subnets:
      app: {addressPrefix: 10.0.0.0/24, networkSecurityGroup: app-nsg}
      endpoints: {addressPrefix: 10.0.1.0/24}

networkInterfaces:
  app: {subnet: vnet/app, privateIPAddress: 10.0.0.4}
  worker: {subnet: vnet/app, privateIPAddress: 10.0.0.5}

networkSecurityGroups:
  app-nsg:
    rules:
      - name: NoSshBetweenHosts
        priority: 100
        direction: Inbound
        access: Deny
        protocol: Tcp
        source: '*'
        destination: '*'
        destinationPorts: [22]

services:
  sqlmi1:
    type: Microsoft.Sql/managedInstances
    backendAddress: 10.9.0.10
    ports: [1433]
    hostNames: [sqlmi1.abc123.database.windows.net]

privateEndpoints:
  pe-sqlmi: {subnet: vnet/endpoints, privateIPAddress: 10.0.1.5, service: sqlmi1, groupId: managedInstance}

names:
  sqlmi1.abc123.database.windows.net: pe-sqlmi
`;

const SCENARIO = `# What this network promises. Run it with: vnetem run scenario.yaml --captures captures
name: my first scenario
topology: ./topology.yaml
seed: 7
captures: {points: [app, pe-sqlmi.consumer, pe-sqlmi.provider]}
steps:
  - name: the application reaches the database by name
    connect: {from: app, to: "sqlmi1.abc123.database.windows.net:1433"}
    expect: {result: established, seenBy: {pe-sqlmi.provider: {src: 10.0.0.4, dport: 1433}}}
  - name: nothing but the database port is served
    connect: {from: app, to: "pe-sqlmi:5022"}
    expect: {result: dropped, reason: PE_PORT_NOT_SERVED, stage: admission}
  - name: hosts of the subnet cannot use ssh
    connect: {from: worker, to: "app:22"}
    expect: {result: dropped, reason: NSG_DENY, by: app-nsg/NoSshBetweenHosts}
`;

export const init: Command = {
  spec: {
    name: 'init',
    operands: '[DIR]',
    summary: 'Writes topology.yaml and scenario.yaml to start from; never overwrites.',
    options: [JSON_OUTPUT],
    operandsMin: 0,
    operandsMax: 1,
  },
  run(args, output) {
    const directory = args.operands[0] ?? '.';
    const files = [
      { file: join(directory, 'topology.yaml'), text: TOPOLOGY },
      { file: join(directory, 'scenario.yaml'), text: SCENARIO },
    ];
    const existing = files.filter(({ file }) => existsSync(file));
    if (existing.length > 0) {
      for (const { file } of existing) {
        output.problem(
          `${file}: error FILE_EXISTS: the file is already there\n  hint: choose another folder: vnetem init DIR`,
        );
      }
      return EXIT_BAD_INPUT;
    }
    mkdirSync(directory, { recursive: true });
    for (const { file, text } of files) writeFileSync(file, text);
    if (args.flag('json')) output.json({ written: files.map(({ file }) => file) });
    else {
      for (const { file } of files) output.line(`wrote ${file}`);
      output.line(`next: vnetem run ${files[1]?.file} --captures captures`);
    }
    return EXIT_OK;
  },
};
