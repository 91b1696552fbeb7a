// Which capture points a user wants: names of points, names of what they belong to (`nva` for both its sides), `*` for
// any letters; without regard to case, as Azure compares names.

import { nameHint } from '../validate/suggestion.ts';
import { capturePoints } from './points.ts';
import type { SideTable } from '../compile/compiled.ts';
import type { Issue } from '../issues.ts';
import type { SourceLocation } from '../model/resources.ts';
import type { CapturePoint } from './points.ts';

/** Whether a point is wanted; without patterns every point is. */
export function createPointSelector(patterns?: readonly string[]): (point: CapturePoint) => boolean {
  if (patterns === undefined) return () => true;
  const expressions = patterns.map(expressionOf);
  return (point) => expressions.some((expression) => expression.test(point.name) || expression.test(point.owner));
}

/** An issue (CAPTURE_POINT_UNKNOWN) for every pattern that no point of the network matches. */
export function checkPointPatterns(
  patterns: readonly string[],
  sideTable: SideTable,
  source?: SourceLocation,
): Issue[] {
  const points = capturePoints(sideTable);
  const names = [...new Set(points.flatMap((point) => [point.name, point.owner]))];
  return patterns
    .filter((pattern) => !points.some(createPointSelector([pattern])))
    .map((pattern) => ({
      code: 'CAPTURE_POINT_UNKNOWN',
      severity: 'error',
      message: `the network has no capture point '${pattern}'`,
      hint: nameHint(pattern, names, 'the network has no capture points'),
      ...(source === undefined ? {} : { source }),
    }));
}

function expressionOf(pattern: string): RegExp {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
  return new RegExp(`^${escaped.join('.*')}$`, 'i');
}
