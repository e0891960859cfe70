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

const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50, END64 = 0x06064b50, LOCATOR64 = 0x07064b50;
const WIDE = 0xffffffff, ZIP64 = 1;
const EXTRAS = new Set([ZIP64, 0x000a, 0x5455, 0x7875]); // sizes, and what systems note of times and owners
const FLAGS = 0x0806; // names in UTF-8, and how hard it was packed; neither encrypted, nor with sums behind the file
const MOST_FILES = 20_000;

function sure(condition: unknown, says: string): asserts condition {
  if (!condition) throw new Error(`ZIP: ${says}`);
}

/** The files of a ZIP. What is stored is not copied: each is a piece of the ZIP.
 *
 *  One program unpacks a ZIP by the directory at its end, another by what stands before each file. So it is read only
 *  where both say the same, and every byte belongs to something (docs/spec/bundle.md, "The ZIP"). */
export async function fromZip(zip: Blob): Promise<Files> {
  const { total, at, size } = await ending(zip);
  const directory = new DataView(await zip.slice(at, at + size).arrayBuffer());
  const entries: Entry[] = [];
  for (let place = 0; place < size; ) {
    const entry = readEntry(directory, place);
    entries.push(entry);
    place += entry.length;
  }
  sure(entries.length === total && total <= MOST_FILES, "its directory says another number of files");
  const files: Files = new Map();
  const top = entries[0]?.name.split("/")[0] ?? "";
  sure(!["", ".", ".."].includes(top), "it does not hold one folder");
  let next = 0;
  for (const entry of entries.sort((a, b) => a.offset - b.offset)) {
    sure(entry.offset === next, "bytes of it belong to nothing");
    const begin = await bodyAt(zip, entry);
    next = begin + entry.packed;
    sure(entry.name.startsWith(`${top}/`), "it does not hold one folder");
    if (entry.name.endsWith("/")) continue;
    const short = entry.name.slice(top.length + 1);
    sure(!files.has(short), "a file is there twice");
    files.set(short, await unpacked(zip.slice(begin, next), entry));
  }
  sure(next === at, "bytes before its directory belong to nothing");
  return files;
}

async function ending(zip: Blob): Promise<{ total: number; at: number; size: number }> {
  sure(zip.size >= 22, "it is too short");
  const tail = new DataView(await zip.slice(Math.max(0, zip.size - 98)).arrayBuffer());
  const end = tail.byteLength - 22;
  sure(tail.getUint32(end, true) === END && tail.getUint16(end + 20, true) === 0, "it has a comment, or is torn");
  let total = tail.getUint16(end + 10, true), size = tail.getUint32(end + 12, true), at = tail.getUint32(end + 16, true);
  sure(tail.getUint32(end + 4, true) === 0 && tail.getUint16(end + 8, true) === total, "it is one of several");
  let stops = zip.size - 22;
  if (total === 0xffff || at === WIDE || size === WIDE) {
    stops -= 76;
    const n = end - 76;
    sure(n >= 0 && tail.getUint32(n, true) === END64 && tail.getBigUint64(n + 4, true) === 44n, "its end has another form");
    const located = tail.getUint32(n + 56, true) === LOCATOR64 && tail.getBigUint64(n + 64, true) === BigInt(stops);
    sure(located && tail.getUint32(n + 60, true) === 0 && tail.getUint32(n + 72, true) === 1, "its end has another form");
    [total, size, at] = [32, 40, 48].map((place) => Number(tail.getBigUint64(n + place, true))) as [number, number, number];
    sure(tail.getBigUint64(n + 16, true) === 0n && Number(tail.getBigUint64(n + 24, true)) === total, "it is one of several");
  }
  sure(at + size === stops, "bytes behind its directory belong to nothing");
  return { total, at, size };
}

interface Entry {
  name: string;
  raw: Uint8Array;
  flags: number;
  method: number;
  packed: number;
  full: number;
  offset: number;
  length: number;
}

function readEntry(directory: DataView, place: number): Entry {
  sure(place + 46 <= directory.byteLength && directory.getUint32(place, true) === CENTRAL, "its directory is torn");
  const [nameLength, extraLength, noteLength] = [28, 30, 32].map((at) => directory.getUint16(place + at, true)) as [number, number, number];
  const length = 46 + nameLength + extraLength + noteLength;
  sure(place + length <= directory.byteLength, "its directory is torn");
  const raw = new Uint8Array(directory.buffer, place + 46, nameLength);
  const wide = extras(new DataView(directory.buffer, place + 46 + nameLength, extraLength));
  const name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  sure(!/[\\\0]/.test(name), "a name in it is no name");
  const kind = (directory.getUint32(place + 38, true) >>> 28) & 0xf;
  sure(kind === 0 || kind === (name.endsWith("/") ? 4 : 8), "it holds a link");
  let next = 0;
  const [full, packed, offset] = [24, 20, 42].map((at) => {
    const told = directory.getUint32(place + at, true);
    if (told !== WIDE) return told;
    sure(wide && wide.byteLength >= next + 8, "a size is missing");
    next += 8;
    return Number(wide.getBigUint64(next - 8, true));
  }) as [number, number, number];
  return {
    name, raw, full, packed, offset, length,
    flags: directory.getUint16(place + 8, true), method: directory.getUint16(place + 10, true),
  };
}

/** The sizes of 64 bits, where they are told. */
function extras(all: DataView): DataView | null {
  let wide: DataView | null = null;
  for (let at = 0; at < all.byteLength; ) {
    sure(at + 4 <= all.byteLength, "it is torn");
    const kind = all.getUint16(at, true), size = all.getUint16(at + 2, true);
    sure(EXTRAS.has(kind) && at + 4 + size <= all.byteLength, "it says more of a file than is known here");
    if (kind === ZIP64) wide = new DataView(all.buffer, all.byteOffset + at + 4, size);
    at += 4 + size;
  }
  return wide;
}

/** Where the bytes of `entry` begin, by the record before them, which must say the same as the directory. */
async function bodyAt(zip: Blob, entry: Entry): Promise<number> {
  const local = new DataView(await zip.slice(entry.offset, entry.offset + 30).arrayBuffer());
  sure(local.byteLength === 30 && local.getUint32(0, true) === LOCAL, "it says two things of one file");
  const nameLength = local.getUint16(26, true), extraLength = local.getUint16(28, true);
  const rest = await zip.slice(entry.offset + 30, entry.offset + 30 + nameLength + extraLength).arrayBuffer();
  const name = new Uint8Array(rest, 0, Math.min(nameLength, rest.byteLength));
  sure(name.length === entry.raw.length && name.every((byte, n) => byte === entry.raw[n]), "it says two names of one file");
  sure(local.getUint16(6, true) === entry.flags && local.getUint16(8, true) === entry.method, "it says two things of one file");
  sure((entry.flags & ~FLAGS) === 0 && (entry.method === 0 || entry.method === 8), "a file in it is packed in an unknown way");
  const wide = extras(new DataView(rest, nameLength));
  let packed = local.getUint32(18, true), full = local.getUint32(22, true);
  if (packed === WIDE && full === WIDE && wide?.byteLength === 16) {
    [full, packed] = [0, 8].map((at) => Number(wide.getBigUint64(at, true))) as [number, number];
  }
  sure(packed === entry.packed && full === entry.full && (entry.method === 8 || packed === full), "it says two sizes of one file");
  return entry.offset + 30 + nameLength + extraLength;
}

async function unpacked(packed: Blob, entry: Entry): Promise<Blob> {
  if (entry.method === 0) return packed;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of chunks(packed.stream().pipeThrough(new DecompressionStream("deflate-raw")))) {
    size += part.length;
    sure(size <= entry.full, "a file in it is longer than it says"); // or a small ZIP could fill all memory
    parts.push(part);
  }
  sure(size === entry.full, "a file in it is shorter than it says");
  return new Blob(parts);
}

async function* chunks(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
