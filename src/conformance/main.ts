// Entry point of `npm run conformance`.

import { runConformance } from './command.ts';

process.exitCode = runConformance(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
