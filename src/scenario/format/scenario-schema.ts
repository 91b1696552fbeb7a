// The scenario file: its settings and its steps. `scenarioJsonSchema` is what schemas/scenario.schema.json holds, for
// editors; reading validates settings and each step on its own, so that a mistake in a step is told about that step.

import { z } from 'zod';
import { switchesSchema } from '../../control/input/switch-schema.ts';
import { PROFILES } from '../../control/model/profile.ts';
import { linkSettings, port, text, textList } from './common-schemas.ts';
import { ACTION_NAMES, stepSchema } from './step-schemas.ts';

const captures = z.union(
  [
    z.literal(false),
    z.strictObject({
      points: z.array(text).min(1).describe('Capture points; default: every point that sees traffic').optional(),
      merged: z.boolean().describe('One file for all points').optional(),
      format: z.enum(['pcapng', 'pcap']).optional(),
      snapLength: z.number().int().min(64).max(65535).describe('Bytes kept of each frame').optional(),
      filter: text.describe('Capture filter on five-tuple fields, e.g. `tcp port 1433`').optional(),
    }),
  ],
  'expected capture settings, or false',
);

const hostSettings = z.strictObject({
  listen: z.array(port).describe('TCP ports that answer; default: every port').optional(),
  ping: z.boolean().describe('Answers echo requests; default true').optional(),
  proxyProtocol: z.boolean().describe('Its services expect a PROXY protocol v2 header').optional(),
  dnsServers: z.array(text).describe('Where an on-premises or Internet host asks for names').optional(),
});

/** Settings of a scenario file, without its steps. */
export const settingsShape = {
  name: text,
  description: z.string().optional(),
  topology: z
    .union([textList, z.looseObject({})], 'expected a path, a list of paths, or a topology written here')
    .describe('Path relative to this file, several paths, or the topology itself'),
  profile: z.enum(PROFILES).optional(),
  switches: switchesSchema.optional(),
  seed: z.number().int().min(0).max(0xffff_ffff).optional(),
  captures: captures.optional(),
  links: z.record(text, linkSettings).optional(),
  hosts: z.record(text, hostSettings).optional(),
} as const;

export const settingsSchema = z.strictObject({ ...settingsShape, steps: z.array(z.unknown()).min(1) });
export type ScenarioSettings = z.infer<typeof settingsSchema>;

/** The JSON Schema of a scenario file (draft 2020-12). */
export function scenarioJsonSchema(): Record<string, unknown> {
  const schema = z.strictObject({
    ...settingsShape,
    steps: z.array(z.union(ACTION_NAMES.map(stepSchema) as [z.ZodType, z.ZodType, ...z.ZodType[]])).min(1),
  });
  return {
    title: 'vnetem scenario',
    ...(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>),
  };
}
