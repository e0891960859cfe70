// What leads to the ledger: Merkle proofs (RFC 9162), keys and checkpoints (C2SP), entries.
import { hex, join, need, same, sha256, text, unbase64, unhex, utf8, verifyEd25519, type Bytes } from "./bytes";
import { count, fields, hash, id, instantUs, parse, path, str, type Fields, type Json } from "./told";

const ZERO = new Uint8Array([0]);
const ONE = new Uint8Array([1]);

export function leafHash(...parts: Uint8Array[]): Promise<Bytes> {
  return sha256(join(ZERO, ...parts));
}

/** Whether `siblings` lead from `leaf`, number `index` of `size`, to `root` (RFC 9162, 2.1.3.2). */
export async function isIncluded(
  leaf: Bytes, index: number, size: number, siblings: string[], root: Uint8Array,
): Promise<boolean> {
  if (index < 0 || index >= size) return false;
  let node = index, last = size - 1, result = leaf;
  for (const one of siblings) {
    if (last === 0) return false;
    const sibling = unhex(one);
    if (node % 2 === 1 || node === last) {
      result = await sha256(join(ONE, sibling, result));
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      result = await sha256(join(ONE, result, sibling));
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && same(result, root);
}

export interface Key {
  name: string;
  id: string;
  type: number;
  raw: Bytes;
}

export async function parseKey(written: string): Promise<Key> {
  const [name = "", id = "", ...rest] = written.split("+");
  const data = unbase64(rest.join("+"));
  need(name && data.length === 33 && (data[0] === 1 || data[0] === 4), "this is not an Ed25519 verifier key");
  const due = await sha256(join(utf8(`${name}\n`), data));
  need(hex(due.subarray(0, 4)) === id, "the key's id does not fit the key");
  return { name, id, type: data[0]!, raw: data.slice(1) };
}

export function accepts(key: Key, message: Bytes, signature: Bytes): Promise<boolean> {
  return verifyEd25519(key.raw, message, signature);
}

export interface Note {
  origin: string;
  size: number;
  root: Bytes;
  text: Bytes;
  lines: { name: string; id: string; signed: Bytes }[];
}

export function readNote(data: Uint8Array): Note {
  const whole = text(data);
  const gap = whole.indexOf("\n\n");
  need(gap >= 0 && whole.endsWith("\n"), "this is no checkpoint with signatures");
  const lines = whole.slice(0, gap).split("\n");
  const rest = whole.slice(gap + 2);
  need(lines.length === 3 && rest.endsWith("\n"), "this is no checkpoint of three lines");
  const [origin, size, root] = lines as [string, string, string];
  need(origin && /^(0|[1-9][0-9]{0,15})$/.test(size) && Number.isSafeInteger(Number(size)), "origin or size is wrong");
  const hashed = unbase64(root);
  need(hashed.length === 32, "the root is not 32 bytes long");
  const signatures = rest.slice(0, -1).split("\n").map((line) => {
    const space = line.indexOf(" ", 2);
    need(line.startsWith("— ") && space > 2, "a signature line has another form");
    const signed = unbase64(line.slice(space + 1));
    return { name: line.slice(2, space), id: hex(signed.subarray(0, 4)), signed: signed.slice(4) };
  });
  return { origin, size: Number(size), root: hashed, text: utf8(`${lines.join("\n")}\n`), lines: signatures };
}

export function signaturesBy(note: Note, key: Key): Bytes[] {
  return note.lines.filter((one) => one.name === key.name && one.id === key.id).map((one) => one.signed);
}

/** When the witness `key` countersigned (seconds since 1970); "bad" where it signed wrongly; null where not at all. */
export async function cosignedAt(note: Note, key: Key): Promise<number | "bad" | null> {
  const [signed] = signaturesBy(note, key);
  if (!signed) return null;
  if (signed.length !== 72) return "bad";
  const seconds = Number(new DataView(signed.buffer, signed.byteOffset).getBigUint64(0));
  if (seconds >= 2 ** 40) return "bad";
  const message = join(utf8(`cosignature/v1\ntime ${seconds}\n`), note.text);
  return (await accepts(key, message, signed.slice(8))) ? seconds : "bad";
}

export interface Opened {
  kind: string;
  subject: string;
  atUs: number;
  commitment: string;
  payload: Fields;
  index: number;
  good: boolean;
  code: "opens" | "lies" | "";
}

/** What an entry says; throws `Malformed` where it is none. */
export async function openEntry(told: Json | undefined, note: Note): Promise<Opened> {
  const one = fields(told, ["leaf", "payload", "salt", "index", "inclusion"]);
  const written = str(one["leaf"]), stated = str(one["payload"]), salt = hash(one["salt"]);
  const index = count(one["index"]), siblings = path(one["inclusion"]);
  const leaf = fields(parse(written), ["at", "commitment", "id", "kind", "subject", "v"]);
  const payload = fields(parse(stated));
  need(leaf["v"] === 1 && id(leaf["id"]), "this is no entry of a ledger");
  const commitment = hash(leaf["commitment"]);
  let code: Opened["code"] = "";
  if (hex(await sha256(join(unhex(salt), utf8(stated)))) !== commitment) code = "opens";
  else if (!(await isIncluded(await leafHash(utf8(written)), index, note.size, siblings, note.root))) code = "lies";
  return {
    kind: str(leaf["kind"]), subject: id(leaf["subject"]), atUs: instantUs(leaf["at"]), commitment, payload, index,
    good: code === "", code,
  };
}
