// Emits dist/ from src/: one JavaScript module per source file, with imported constants replaced by their values. V8
// reads an import through its module's cell, every time, with three checks, and a member of an imported table with
// three more; inlined, a packet of a known connection costs 30 ns instead of 53 (docs/performance.md). Rolldown inlines
// the plain constants; the tables of numbers (`export const NAME = { member: 1 } as const`) are done here. Types and
// declarations are tsc's: `npm run build` runs both.

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');

const sources = readdirSync(SRC, { recursive: true })
  .map((file) => String(file).replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'));
const tables = new Map(sources.map((file) => [join(SRC, file), tablesOf(readFileSync(join(SRC, file), 'utf8'))]));

const bundle = await rolldown({
  input: Object.fromEntries(sources.map((file) => [file.slice(0, -'.ts'.length), join(SRC, file)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith(ROOT),
  plugins: [{ name: 'inline-tables', transform: (code, id) => inlineTables(code, resolve(id)) }],
  treeshake: false,
  preserveEntrySignatures: 'strict',
  optimization: { inlineConst: { mode: 'all', pass: 3 } },
});
await bundle.write({
  dir: join(ROOT, 'dist'),
  format: 'esm',
  preserveModules: true,
  preserveModulesRoot: SRC,
  entryFileNames: '[name].js',
  minify: false,
});
await bundle.close();

/** Exported tables of numbers of one module: name -> member -> value. */
function tablesOf(code) {
  const found = new Map();
  for (const statement of parseAst(code, { lang: 'ts' }).body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration?.declarations : undefined;
    for (const { id, init } of declared ?? []) {
      const object = init?.type === 'TSAsExpression' ? init.expression : undefined;
      if (object?.type !== 'ObjectExpression') continue;
      const members = object.properties.map(({ key, value }) => [key?.name, value?.value]);
      if (members.every(([name, value]) => typeof name === 'string' && typeof value === 'number')) {
        found.set(id.name, new Map(members));
      }
    }
  }
  return found;
}

/** A module's code with `NAME.member` of its own and imported tables replaced by the number. */
function inlineTables(code, file) {
  const program = parseAst(code, { lang: 'ts' });
  const known = new Map(tables.get(file));
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration' || !statement.source.value.startsWith('.')) continue;
    const from = tables.get(resolve(dirname(file), statement.source.value));
    for (const { imported, local } of statement.specifiers) {
      const table = from?.get(imported?.name);
      if (table !== undefined) known.set(local.name, table);
    }
  }
  const edits = [];
  if (known.size > 0) visit(program, (node) => collect(node, known, edits));
  let text = code;
  for (const { start, end, value } of edits.sort((a, b) => b.start - a.start)) {
    text = text.slice(0, start) + value + text.slice(end);
  }
  return { code: text, map: null };
}

function collect(node, known, edits) {
  if (node.type !== 'MemberExpression' || node.computed || node.object.type !== 'Identifier') return;
  const value = known.get(node.object.name)?.get(node.property.name);
  if (value !== undefined) edits.push({ start: node.start, end: node.end, value });
}

function visit(node, each) {
  if (Array.isArray(node)) {
    for (const child of node) visit(child, each);
  } else if (node !== null && typeof node === 'object' && typeof node.type === 'string') {
    each(node);
    for (const child of Object.values(node)) visit(child, each);
  }
}
