// From what a person dropped or chose to the files of a bundle: a folder, or a ZIP with one folder at its top.
import type { Files } from "./core/verify";

/** The files of a chosen folder. */
export function fromList(chosen: FileList | File[]): Files {
  const files: Files = new Map();
  for (const file of chosen) files.set(file.webkitRelativePath.split("/").slice(1).join("/") || file.name, file);
  return files;
}

/** The files of whatever was dropped. */
export async function fromDrop(dropped: DataTransfer): Promise<Files> {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const first = entries[0];
  if (entries.length === 1 && first?.isFile) return fromZip(await fileOf(first as FileSystemFileEntry));
  const files: Files = new Map();
  const top = entries.length === 1 && first?.isDirectory ? await children(first as FileSystemDirectoryEntry) : entries;
  for (const entry of top) await walk(entry, "", files);
  return files;
}

async function walk(entry: FileSystemEntry, prefix: string, files: Files): Promise<void> {
  if (entry.isFile) files.set(prefix + entry.name, await fileOf(entry as FileSystemFileEntry));
  else for (const inner of await children(entry as FileSystemDirectoryEntry)) await walk(inner, `${prefix}${entry.name}/`, files);
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((done, fail) => entry.file(done, fail));
}

async function children(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return found;
    found.push(...some);
  }
}

const END = 0x06054b50, END64 = 0x06064b50, CENTRAL = 0x02014b50;

/** The files of a ZIP. What is stored is not copied: each is a piece of the ZIP. */
export async function fromZip(zip: Blob): Promise<Files> {
  const tailAt = Math.max(0, zip.size - 66_000);
  const tail = new DataView(await zip.slice(tailAt).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw new Error("ZIP?");
  let total = tail.getUint16(end + 10, true), size = tail.getUint32(end + 12, true), at = tail.getUint32(end + 16, true);
  if (end >= 20 && (total === 0xffff || at === 0xffffffff || size === 0xffffffff)) {
    const place = Number(tail.getBigUint64(end - 12, true)) - tailAt;
    if (tail.getUint32(place, true) !== END64) throw new Error("ZIP64?");
    total = Number(tail.getBigUint64(place + 32, true));
    size = Number(tail.getBigUint64(place + 40, true));
    at = Number(tail.getBigUint64(place + 48, true));
  }
  const directory = new DataView(await zip.slice(at, at + size).arrayBuffer());
  const files: Files = new Map();
  for (let n = 0, place = 0; n < total; n++) {
    if (directory.getUint32(place, true) !== CENTRAL) throw new Error("ZIP?");
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((offset) => directory.getUint16(place + offset, true)) as [number, number, number];
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, place + 46, nameLength));
    const extra = new DataView(directory.buffer, place + 46 + nameLength, extraLength);
    const entry = widths(directory, place, extra);
    if (!name.endsWith("/")) {
      const short = name.split("/").slice(1).join("/");
      if (files.has(short)) throw new Error(`${short} ×2`);
      files.set(short, await content(zip, entry));
    }
    place += 46 + nameLength + extraLength + noteLength;
  }
  return files;
}

interface Entry {
  method: number;
  packed: number;
  offset: number;
}

function widths(directory: DataView, place: number, extra: DataView): Entry {
  const full = directory.getUint32(place + 24, true);
  let packed = directory.getUint32(place + 20, true), offset = directory.getUint32(place + 42, true);
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    if (full === 0xffffffff) next += 8;
    if (packed === 0xffffffff) {
      packed = Number(extra.getBigUint64(next, true));
      next += 8;
    }
    if (offset === 0xffffffff) offset = Number(extra.getBigUint64(next, true));
  }
  return { method: directory.getUint16(place + 10, true), packed, offset };
}

async function content(zip: Blob, entry: Entry): Promise<Blob> {
  const local = new DataView(await zip.slice(entry.offset, entry.offset + 30).arrayBuffer());
  const begin = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const packed = zip.slice(begin, begin + entry.packed);
  if (entry.method === 0) return packed;
  if (entry.method !== 8) throw new Error(`ZIP ${entry.method}?`);
  return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
}
