// The behaviour switches as a zod schema, for topologies and scenarios: the registry says what each may be.

import { z } from 'zod';
import { SWITCHES, SWITCH_NAMES, type SwitchInfo, type SwitchName, type Switches } from '../model/profile.ts';

/** A mapping from switches to values; a name that is none is an unknown key. */
export const switchesSchema = z.strictObject(
  Object.fromEntries(SWITCH_NAMES.map((name) => [name, valueSchema(name).optional()])),
) as unknown as z.ZodType<Partial<Switches>>;

function valueSchema(name: SwitchName): z.ZodType {
  const { values, range, rule, text }: SwitchInfo = SWITCHES[name];
  const schema =
    values === undefined
      ? range === undefined
        ? z.boolean()
        : z.number().int().min(range[0]).max(range[1])
      : z.enum(values as [string, ...string[]]);
  return schema.describe(`${text} (${rule})`);
}
