// The JSON of a bundle, read strictly: canonical bytes of known shape, or none (docs/spec/bundle.md, "JSON").
import { Malformed, need, text } from "./bytes";

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

function compare(a: string, b: string): number {
  const x = [...a], y = [...b];
  for (let n = 0; n < Math.min(x.length, y.length); n++) {
    const d = x[n]!.codePointAt(0)! - y[n]!.codePointAt(0)!;
    if (d) return d;
  }
  return x.length - y.length;
}

function quote(value: string): string {
  need(!/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value), "half a letter");
  return JSON.stringify(value);
}

const DEEPEST = 32; // lists and objects within each other; every reader must stop at the same depth

export function canonical(value: Json, depth = DEEPEST): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") {
    need(Number.isSafeInteger(value), "numbers are integers below 2^53");
    return String(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  need(depth > 0, "it is too deep");
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one, depth - 1)).join(",")}]`;
  const names = Object.keys(value).sort(compare);
  return `{${names.map((name) => `${quote(name)}:${canonical(value[name]!, depth - 1)}`).join(",")}}`;
}

/** The value that the canonical `written` holds; throws `Malformed` where it is not canonical. */
export function parse(written: string): Json {
  let value: Json;
  try {
    value = JSON.parse(written) as Json;
  } catch {
    throw new Malformed("this is not JSON");
  }
  need(canonical(value) === written, "it is not written in the canonical form");
  return value;
}

export function parseBytes(data: Uint8Array): Json {
  return parse(text(data));
}

export type Fields = { [name: string]: Json };

export function fields(value: Json | undefined, names?: string[]): Fields {
  need(value !== null && typeof value === "object" && !Array.isArray(value), "an object is due here");
  if (names) need(Object.keys(value).length === names.length && names.every((n) => n in value), "other fields are due");
  return value;
}

export function str(value: Json | undefined): string {
  need(typeof value === "string", "a text is due here");
  return value;
}

export function count(value: Json | undefined): number {
  need(typeof value === "number" && value >= 0, "a number is due here");
  return value;
}

export function list(value: Json | undefined): Json[] {
  need(Array.isArray(value), "a list is due here");
  return value;
}

export function hash(value: Json | undefined): string {
  const digits = str(value);
  need(/^[0-9a-f]{64}$/.test(digits), "a hash is due here");
  return digits;
}

export function id(value: Json | undefined): string {
  const found = str(value);
  need(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(found), "an id is due here");
  return found;
}

export function path(value: Json | undefined): string[] {
  const hashes = list(value).map(hash);
  need(hashes.length <= 64, "a path is too long");
  return hashes;
}

/** Microseconds since 1970 of `2026-11-25T12:00:00.000000Z`. */
export function instantUs(value: Json | undefined): number {
  const written = str(value);
  const parts = /^((?:19[789]\d|2[01]\d\d)-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\.(\d{3})(\d{3})Z$/.exec(written);
  need(parts, "an instant is due here");
  const ms = Date.parse(`${parts[1]}.${parts[2]}Z`);
  need(!Number.isNaN(ms) && new Date(ms).toISOString() === `${parts[1]}.${parts[2]}Z`, "there is no such instant");
  return ms * 1000 + Number(parts[3]);
}
