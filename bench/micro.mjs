// Micro-benchmarks of single functions, with tinybench: `npm run bench:micro`. Whole batches are timed, never one
// packet; the sizes of `vnetem bench` are the ones to quote. `--smoke` runs everything once, briefly.

import { Bench } from 'tinybench';
import { createRegions, regionSizes } from '../dist/abi/regions.js';
import { benchCompiled, benchNetwork } from '../dist/bench/network.js';
import { FlowTable } from '../dist/dataplane/flow-table.js';
import { lookupRoute } from '../dist/dataplane/lpm.js';
import { matchRule } from '../dist/dataplane/rule-match.js';
import { buildFrame, hashFiveTuple, internetChecksum, updateChecksum32 } from '../dist/wire/index.js';

const smoke = process.argv.includes('--smoke');
const bench = new Bench({ time: smoke ? 5 : 500, warmupTime: smoke ? 1 : 100 });
const CALLS = 1024;

const { program } = benchCompiled(benchNetwork({ clients: 64, endpoints: 16, rules: 1000, prefixes: 4000, seed: 7 }));
const set = program.ruleSets.toSorted((a, b) => b.access.length - a.access.length)[0];
const { trie } = program.routeTables[0];
const frame = buildFrame({ src: 0x0a000004, dst: 0x0a000105, tcp: { srcPort: 50000, dstPort: 1433, flags: 2 } });
const view = new DataView(frame.buffer);
const table = new FlowTable(createRegions(regionSizes({ connections: CALLS, slots: 64, capture: false })));
for (let i = 0; i < CALLS; i++) table.insert(0x0400000a, 0x0501000a, i | (0x9905 << 16), 300);

let sink = 0;
function times(call) {
  return () => {
    for (let i = 0; i < CALLS; i++) sink ^= call(i);
  };
}

bench
  .add(
    'IPv4 header checksum',
    times(() => internetChecksum(view, 14, 20)),
  )
  .add(
    'incremental checksum',
    times((i) => updateChecksum32(0x1234, i, i + 7)),
  )
  .add(
    'five-tuple hash',
    times((i) => hashFiveTuple(6, 0x0a000004, 0x0a000105, i, 1433)),
  )
  .add(
    'flow table hit',
    times((i) => table.find(0x0400000a, 0x0501000a, i | (0x9905 << 16), 300)),
  )
  .add(
    'longest prefix',
    times((i) => lookupRoute(trie, 0x0a000000 + i)),
  )
  .add(
    '1,000 rules',
    times((i) => matchRule(set, 6, 0x0a001004, 0x0a000004 + (i & 15), 50000, 1433)),
  );

await bench.run();
const rows = bench.tasks.map((task) => {
  const { latency } = task.result;
  return {
    function: task.name,
    'ns per call': ((latency.p50 * 1e6) / CALLS).toFixed(1),
    'spread %': latency.rme.toFixed(1),
  };
});
console.log(
  `Node ${process.versions.node}, V8 ${process.versions.v8}${smoke ? ', smoke size: figures mean nothing' : ''}`,
);
console.table(rows);
if (sink === 42) console.log(sink);
