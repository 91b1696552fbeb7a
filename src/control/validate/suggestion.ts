// Hints for unknown names: the nearest known one, or the known ones.

import { suggest } from '../input/suggestions.ts';

/** `did you mean 'x'?` with the nearest name, else the known names, else `none`. */
export function nameHint(name: string, candidates: readonly string[], none: string): string {
  const nearest = suggest(name, candidates);
  if (nearest !== undefined) return `did you mean '${nearest}'?`;
  if (candidates.length === 0) return none;
  const shown = candidates.slice(0, 8).join(', ');
  return `known names: ${shown}${candidates.length > 8 ? `, and ${candidates.length - 8} more` : ''}`;
}
