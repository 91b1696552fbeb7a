// What our forwarding core is measured against: `c`, the same hit path in C (bench/native), and `dpdk`, a pipeline on
// DPDK's libraries. Each is built with the system's compiler into a temporary folder and runs in its own process.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figures } from './figures.ts';

const run = promisify(execFile);
const COMPILERS = ['gcc', 'cc', 'clang'];
/** Not -march=native: with the AVX-512 code that gcc 12 makes of it the twin takes 20.5 ns instead of 19.0 (Zen 4). */
const TWIN_FLAGS = ['-std=c11', '-O3'];
/** As its own head says. */
const YARDSTICK_FLAGS = ['-O3', '-march=native'];
const TWIN_FOLDER = fileURLToPath(new URL('../../bench/native/', import.meta.url));
const TWIN_SOURCES = ['twin.c', 'snapshot.c', 'hit-path.c'];
const YARDSTICK_VARIABLE = 'VNETEM_DPDK_PIPELINE';
const YARDSTICK_DEFAULT = fileURLToPath(new URL('../../../shared/peers/dpdk_pipeline.c', import.meta.url));
/** A run takes seconds; more than this means that it hangs. */
const TIMEOUT_MS = 300_000;

/** A rival that could not be built, and why, in a few words. */
export class RivalMissing extends Error {
  override readonly name = 'RivalMissing';
}

/** One run of the twin: nanoseconds per packet, and the hash that ours must equal. */
export interface TwinFigures {
  readonly processing: Figures;
  readonly generator: Figures;
  readonly sink: Figures;
  readonly outcome: string;
}

export interface Twin {
  /** Compiler and flags. */
  readonly built: string;
  run(snapshot: string, packets: number): Promise<TwinFigures>;
}

/** Builds the twin in `folder`. Throws RivalMissing where that is not possible. */
export async function buildTwin(folder: string): Promise<Twin> {
  const compiler = await findCompiler();
  if (!existsSync(TWIN_FOLDER)) throw new RivalMissing('its sources, bench/native, are not part of this installation');
  const program = join(folder, 'twin');
  const sources = TWIN_SOURCES.map((file) => join(TWIN_FOLDER, file));
  await compile(compiler, [...TWIN_FLAGS, '-o', program, ...sources]);
  return {
    built: `${await versionOf(compiler)}, ${TWIN_FLAGS.join(' ')}`,
    async run(snapshot, packets) {
      const { stdout } = await run(program, [snapshot, '--packets', String(packets)], { timeout: TIMEOUT_MS });
      return JSON.parse(stdout) as TwinFigures;
    },
  };
}

export interface Yardstick {
  readonly built: string;
  /** Packets per microsecond: the median of `repetitions`, each of `seconds`. `flows` is a power of two. */
  run(flows: number, repetitions: number, seconds: number): Promise<number>;
}

/** Builds the DPDK pipeline in `folder`. Throws RivalMissing where that is not possible. */
export async function buildYardstick(folder: string): Promise<Yardstick> {
  const compiler = await findCompiler();
  const source = process.env[YARDSTICK_VARIABLE] ?? YARDSTICK_DEFAULT;
  if (!existsSync(source)) {
    throw new RivalMissing(`no source of a DPDK pipeline: ${YARDSTICK_VARIABLE} names the C file`);
  }
  const libraries = await run('pkg-config', ['--cflags', '--libs', 'libdpdk']).catch(() => {
    throw new RivalMissing('pkg-config does not find libdpdk (Debian: libdpdk-dev)');
  });
  const program = join(folder, 'yardstick');
  const libraryFlags = libraries.stdout.trim().split(/\s+/);
  // Once more at the end: the flags of the libraries name an older machine.
  await compile(compiler, [...YARDSTICK_FLAGS, '-o', program, source, ...libraryFlags, '-march=native']);
  const core = cpus().length > 1 ? '1' : '0';
  const environment = ['-l', core, '--no-huge', '-m', '1536', '--no-pci', '--no-telemetry', '--log-level=error'];
  return {
    built: `${await versionOf(compiler)}, ${YARDSTICK_FLAGS.join(' ')}`,
    async run(flows, repetitions, seconds) {
      const tables = ['-r', join(dirname(source), 'rules1000.txt'), '-R', join(dirname(source), 'routes1000.txt')];
      const work = ['-m', 'fast', '-x', '-c', '-f', String(flows), '-n', String(repetitions), '-t', String(seconds)];
      const prefix = ['--file-prefix', `vnetem${process.pid}`, '--'];
      const { stdout } = await run(program, [...environment, ...prefix, ...work, ...tables], { timeout: TIMEOUT_MS });
      return parseYardstick(stdout);
    },
  };
}

/** The median Mpps in the yardstick's line: mode, table, flows, rules, routes, burst, checksum verified, repetitions,
 * Mpps median, … Throws when it dropped packets, or printed something else. */
export function parseYardstick(text: string): number {
  const warning = text.split('\n').find((line) => line.startsWith('WARNING'));
  if (warning !== undefined) throw new Error(`the yardstick dropped packets: ${warning}`);
  const fields = text
    .split('\n')
    .find((line) => line.startsWith('fast,'))
    ?.split(',');
  const mpps = Number(fields?.[8]);
  if (!(mpps > 0)) throw new Error(`the yardstick printed no figures: '${text.trim()}'`);
  return mpps;
}

async function findCompiler(): Promise<string> {
  for (const compiler of COMPILERS) {
    const isThere = await run(compiler, ['--version']).then(
      () => true,
      () => false,
    );
    if (isThere) return compiler;
  }
  throw new RivalMissing(`no C compiler (${COMPILERS.join(', ')})`);
}

async function versionOf(compiler: string): Promise<string> {
  const { stdout } = await run(compiler, ['--version']);
  return (stdout.split('\n')[0] ?? compiler).trim();
}

async function compile(compiler: string, args: readonly string[]): Promise<void> {
  await run(compiler, [...args]).catch((error: { stderr?: string; message: string }) => {
    const lines = (error.stderr ?? error.message).split('\n');
    throw new RivalMissing(
      `${compiler} cannot build it: ${lines.find((line) => /error/i.test(line)) ?? lines[0] ?? ''}`,
    );
  });
}
