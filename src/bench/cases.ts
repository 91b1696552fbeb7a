// Which benchmarks there are, and at which sizes. A case is a function of its own file; it is loaded only in the
// process that runs it, so that nothing else has touched the code it measures.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CaptureDiskOptions } from './capture-disk.ts';
import type { BenchRow } from './figures.ts';

export interface BenchCase {
  readonly name: string;
  /** Ids of the rows that it yields. */
  readonly ids: readonly string[];
  readonly title: string;
  readonly full: readonly BenchRun[];
  /** Tiny sizes: they show that the case works, their figures mean nothing. */
  readonly smoke: readonly BenchRun[];
}

/** A case at one size. */
export interface BenchRun {
  /** Its sizes in words. */
  readonly text: string;
  run(seed: number): Promise<readonly BenchRow[]>;
}

type Rows = readonly BenchRow[] | Promise<readonly BenchRow[]>;
type Sizes = Readonly<Record<string, number | string>>;

/** Frame sizes of `frame-size`, wire bytes; IMIX is the usual mix 7 : 4 : 1 of 64, 594 and 1,518. */
const FRAMES = [64, 1500, 'IMIX'] as const;
/** Where the prefixes of a rule list stand. */
const RULE_FORMS = ['one side', 'both sides'] as const;
const RULES = 1000;
/** Who asks the rules of a push: new connections alone, or every flow. */
const ASKED = ['new connections', 'all flows'] as const;
const MANY = 65_536;
const SMALL = { flows: 64, rules: 10, packets: 8192 };

const flowHits = define('flow-hit', ['flow-hit/end-to-end', 'flow-hit/processing'], {
  title: 'flow hits',
  load: async () => (await import('./flow-hit.ts')).flowHit,
  full: [
    { flows: 1024, rules: RULES, packets: 24_000_000 },
    { flows: MANY, rules: RULES, packets: 24_000_000 },
    { flows: 1_048_576, rules: RULES, packets: 16_000_000 },
    { flows: 8192, rules: RULES, packets: 8_000_000 },
    { flows: MANY, rules: 100, packets: 8_000_000 },
    { flows: MANY, rules: 10, packets: 8_000_000 },
  ],
  smoke: [SMALL],
});

const frameSizes = define('frame-size', ['frame-size/end-to-end', 'frame-size/processing'], {
  title: 'frame sizes',
  load: async () => (await import('./flow-hit.ts')).frameSize,
  full: FRAMES.map((frame) => ({ frame, flows: MANY, rules: RULES, packets: 8_000_000 })),
  smoke: FRAMES.map((frame) => ({ frame, ...SMALL })),
});

const ends = define('ends', ['generator', 'sink'], {
  title: 'generator and sink apart',
  load: async () => (await import('./generator-sink.ts')).generatorAndSink,
  full: [1024, MANY, 1_048_576].map((flows) => ({ flows, rules: 10, packets: 8_000_000 })),
  smoke: [SMALL],
});

const band = [
  define('band/one-flow', ['band/one-flow'], {
    title: 'one flow',
    load: async () => (await import('./band.ts')).oneFlow,
    full: [{ flows: 1, rules: RULES, packets: 16_000_000 }],
    smoke: [SMALL],
  }),
  define('band/many-flows', ['band/many-flows'], {
    title: 'many flows',
    load: async () => (await import('./band.ts')).manyFlows,
    full: [{ flows: MANY, rules: RULES, packets: 16_000_000 }],
    smoke: [SMALL],
  }),
  ...[1, 10].map((percent) =>
    define(`band/new-${percent}`, [`band/new-${percent}`], {
      title: `${percent} % new connections`,
      load: async () => (await import('./band.ts')).newInMix,
      full: [{ percent, flows: MANY, rules: RULES, active: MANY, packets: 8_000_000 }],
      smoke: [{ percent, active: 64, ...SMALL }],
    }),
  ),
  define('band/worst', ['band/worst'], {
    title: 'the worst case',
    load: async () => (await import('./band.ts')).worstCase,
    full: [{ flows: 0, rules: RULES, active: MANY, packets: 1_000_000 }],
    smoke: [{ ...SMALL, active: 512 }],
  }),
];

const FIRST_PACKETS = { rules: RULES, prefixes: 4000, active: MANY, connections: 600_000 };
const FIRST_PACKETS_SMALL = { rules: 20, prefixes: 80, active: 512, connections: 8192 };

const firstPackets = [
  define('first-packet', ['first-packet'], {
    title: 'first packets',
    load: async () => (await import('./first-packet.ts')).firstPacket,
    full: [FIRST_PACKETS],
    smoke: [FIRST_PACKETS_SMALL],
  }),
  define('first-packet/closed', ['first-packet/closed'], {
    title: 'connections that open and close',
    load: async () => (await import('./first-packet.ts')).closedConnections,
    full: [FIRST_PACKETS],
    smoke: [FIRST_PACKETS_SMALL],
  }),
];

const workers = define('workers', ['flow-hit/end-to-end'], {
  title: 'two workers',
  load: async () => (await import('./workers.ts')).workers,
  full: [1024, MANY].map((flows) => ({ flows, rules: RULES, pairs: 5, ms: 400 })),
  smoke: [{ flows: 64, rules: 10, pairs: 1, ms: 20 }],
});

const pushes = define('push-under-load', ['push-under-load'], {
  title: 'pushes under load',
  load: async () => (await import('./push-under-load.ts')).pushUnderLoad,
  full: ASKED.map((asked) => ({ asked, flows: MANY, rules: RULES, prefixes: 4000, pushes: 3, secondMs: 1000 })),
  smoke: ASKED.map((asked) => ({ asked, flows: 64, rules: 10, prefixes: 40, pushes: 2, secondMs: 120 })),
});

const tables = [
  define('nsg-compile', ['nsg-compile'], {
    title: 'NSG compile',
    load: async () => (await import('./nsg-compile.ts')).nsgCompile,
    full: [{ rules: RULES, prefixes: 4000, repetitions: 15 }],
    smoke: [{ rules: 20, prefixes: 80, repetitions: 2 }],
  }),
  define('classify', ['classify'], {
    title: 'classification',
    load: async () => (await import('./classify.ts')).classify,
    full: [10, 100, RULES].flatMap((rules) =>
      RULE_FORMS.map((set) => ({ set, rules, prefixes: 4 * rules, lookups: 8_000_000 })),
    ),
    smoke: RULE_FORMS.map((set) => ({ set, rules: 20, prefixes: 80, lookups: 8192 })),
  }),
  define('lpm', ['lpm'], {
    title: 'longest prefix',
    load: async () => (await import('./lpm.ts')).lpm,
    full: [10, 400, 10_000].map((routes) => ({ routes, lookups: 16_000_000 })),
    smoke: [{ routes: 40, lookups: 8192 }],
  }),
];

const captures = [
  define('capture-tap', ['capture-tap', 'capture-tap/idle'], {
    title: 'capture tap',
    load: async () => (await import('./capture-tap.ts')).captureTap,
    full: [64, 1518].map((frame) => ({ frame, flows: 1024, rules: RULES, packets: 500_000, rounds: 6 })),
    smoke: [{ frame: 64, flows: 64, rules: 10, packets: 4096, rounds: 2 }],
  }),
  define<Omit<CaptureDiskOptions, 'seed'>>('capture-disk', ['capture-disk'], {
    title: 'capture to disk',
    load: async () => (await import('./capture-disk.ts')).captureDisk,
    full: [
      { frame: 64, format: 'pcapng', load: 'paced', flows: 1024, rules: RULES, packets: 500_000 },
      { frame: 64, format: 'pcap', load: 'paced', flows: 1024, rules: RULES, packets: 500_000 },
      { frame: 64, format: 'pcapng', load: 'unpaced', flows: 1024, rules: RULES, packets: 4_000_000 },
      { frame: 1518, format: 'pcapng', load: 'paced', flows: 1024, rules: RULES, packets: 100_000 },
    ],
    smoke: [{ frame: 64, format: 'pcapng', load: 'paced', flows: 64, rules: 10, packets: 4096 }],
  }),
];

const memory = define('memory', ['memory'], {
  title: 'memory of a connection',
  load: async () => (await import('./memory.ts')).memoryPerConnection,
  full: [1024, MANY, 524_288].map((connections) => ({ connections })),
  smoke: [{ connections: 1024 }],
});

/** Every benchmark, in the order of the table. */
export const CASES: readonly BenchCase[] = [
  flowHits,
  ...band,
  frameSizes,
  ends,
  workers,
  ...firstPackets,
  ...tables,
  ...captures,
  pushes,
  memory,
  ...microCases(),
];

/** What `--only` takes: ids of rows, and names of cases. */
export const BENCH_IDS: readonly string[] = [
  ...new Set(CASES.flatMap(({ name, ids }) => (ids.length > 1 ? ids : [...ids, name]))),
];

interface CaseSpec<S extends Sizes> {
  readonly title: string;
  readonly load: () => Promise<(options: S & { readonly seed: number }) => Rows>;
  readonly full: readonly S[];
  readonly smoke: readonly S[];
}

function define<S extends Sizes>(name: string, ids: readonly string[], spec: CaseSpec<S>): BenchCase {
  const runOf = (sizes: S): BenchRun => ({
    text: Object.entries(sizes)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    run: async (seed) => {
      const measure = await spec.load();
      return measure({ ...sizes, seed });
    },
  });
  return { name, ids, title: spec.title, full: spec.full.map(runOf), smoke: spec.smoke.map(runOf) };
}

/** Single functions, with tinybench: only where the repository is, the installed package has neither. */
function microCases(): BenchCase[] {
  const file = new URL('../../bench/micro.mjs', import.meta.url);
  if (!existsSync(fileURLToPath(file))) return [];
  return [
    define('micro', ['micro'], {
      title: 'single functions',
      load: async () => {
        const module = (await import(file.href)) as { micro: (options: { ms: number; seed: number }) => Rows };
        return module.micro;
      },
      full: [{ ms: 300 }],
      smoke: [{ ms: 2 }],
    }),
  ];
}
