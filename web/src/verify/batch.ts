// Many changed bundles at once, under Node: each line of the input is a bundle and what was changed in it, each line of
// the output is its verdict. The tests hold the verifiers against each other by it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { verify, type Files } from "./core/verify";
import { fromZip } from "./opening";

interface Asked {
  base: string;
  zip?: string; // a ZIP instead of all else
  trust: string | null;
  set: Record<string, string>;
  remove: string[];
}

const bases = new Map<string, Files>();

function load(folder: string): Files {
  const known = bases.get(folder);
  if (known) return known;
  const files: Files = new Map();
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!found.isFile()) continue;
    const path = join(found.parentPath, found.name);
    files.set(path.slice(folder.length + 1), new Blob([new Uint8Array(readFileSync(path))]));
  }
  bases.set(folder, files);
  return files;
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line) as Asked;
  if (asked.zip) {
    const files = await fromZip(new Blob([new Uint8Array(readFileSync(asked.zip))])).catch((error: unknown) => String(error));
    process.stdout.write(`${JSON.stringify({ files: typeof files === "string" ? null : [...files.keys()].sort(), says: files })}\n`);
    continue;
  }
  const files = new Map(load(asked.base));
  for (const name of asked.remove) files.delete(name);
  for (const [name, data] of Object.entries(asked.set)) files.set(name, new Blob([new Uint8Array(Buffer.from(data, "base64"))]));
  const report = await verify(files, asked.trust ? new Uint8Array(readFileSync(asked.trust)) : null);
  const told = { verdict: report.verdict, items: Object.fromEntries(report.items), codes: report.codes };
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
