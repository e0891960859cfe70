// Bytes: hex, canonical base64, SHA-256 at once and as a stream, Ed25519. WebCrypto where it can, plain code where not.

export type Bytes = Uint8Array<ArrayBuffer>;

/** A file of the bundle that has another form than it should. */
export class Malformed extends Error {}

export function need(condition: unknown, says: string): asserts condition {
  if (!condition) throw new Malformed(says);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text) as Bytes;
}

export function text(data: Uint8Array): string {
  try {
    return decoder.decode(data);
  } catch {
    throw new Malformed("this is not UTF-8");
  }
}

export function hex(data: Uint8Array): string {
  let out = "";
  for (const byte of data) out += byte.toString(16).padStart(2, "0");
  return out;
}

export function unhex(digits: string): Bytes {
  need(/^([0-9a-f]{2})*$/.test(digits), "this is not hex");
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return out;
}

export function unbase64(encoded: string): Bytes {
  let binary: string;
  try {
    binary = atob(encoded);
  } catch {
    throw new Malformed("this is not base64");
  }
  need(btoa(binary) === encoded, "this is not canonical base64");
  return Uint8Array.from(binary, (one) => one.charCodeAt(0));
}

export function join(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, n) => byte === b[n]);
}

const AT_HAND = 1024; // bytes below which asking WebCrypto takes longer than reckoning here

export async function sha256(data: Bytes): Promise<Bytes> {
  if (data.length > AT_HAND) return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const hash = new Sha256();
  hash.update(data);
  return hash.digest();
}

const AT_ONCE = 64 << 20;
const BLOCK = 4 << 20;

/** The SHA-256 of a file in hex. WebCrypto takes a file only whole, so a large one goes through `Sha256`. */
export async function hashFile(file: Blob): Promise<string> {
  if (file.size <= AT_ONCE) return hex(await sha256(new Uint8Array(await file.arrayBuffer())));
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += BLOCK) {
    hash.update(new Uint8Array(await file.slice(at, at + BLOCK).arrayBuffer()));
  }
  return hex(hash.digest());
}

const K = new Uint32Array(64);
const START = new Uint32Array(8);
{
  // The constants are the first 32 bits of the fractions of roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3).
  const fraction = (x: number): number => Math.floor((x - Math.floor(x)) * 2 ** 32);
  let found = 0;
  for (let candidate = 2; found < 64; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) if (candidate % d === 0) prime = false;
    if (!prime) continue;
    K[found] = fraction(Math.cbrt(candidate));
    if (found < 8) START[found] = fraction(Math.sqrt(candidate));
    found += 1;
  }
}

/** SHA-256 of a stream (FIPS 180-4). */
export class Sha256 {
  private readonly state = Uint32Array.from(START);
  private readonly words = new Uint32Array(64);
  private readonly rest = new Uint8Array(64);
  private kept = 0;
  private total = 0;

  update(data: Uint8Array): void {
    this.total += data.length;
    let at = 0;
    if (this.kept) {
      at = Math.min(64 - this.kept, data.length);
      this.rest.set(data.subarray(0, at), this.kept);
      this.kept += at;
      if (this.kept < 64) return;
      this.block(this.rest, 0);
      this.kept = 0;
    }
    for (; at + 64 <= data.length; at += 64) this.block(data, at);
    this.rest.set(data.subarray(at));
    this.kept = data.length - at;
  }

  digest(): Bytes {
    const bits = this.total * 8;
    const tail = new Uint8Array(this.kept < 56 ? 64 - this.kept : 128 - this.kept);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(tail.length - 4, bits >>> 0);
    this.update(tail);
    const out = new Uint8Array(32);
    this.state.forEach((word, n) => new DataView(out.buffer).setUint32(4 * n, word));
    return out;
  }

  private block(data: Uint8Array, at: number): void {
    const w = this.words;
    for (let i = 0; i < 16; i++, at += 4) {
      w[i] = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
    }
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
    }
    const s = this.state;
    let a = s[0]! | 0, b = s[1]! | 0, c = s[2]! | 0, d = s[3]! | 0;
    let e = s[4]! | 0, f = s[5]! | 0, g = s[6]! | 0, h = s[7]! | 0;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0;
      d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    s[0]! += a; s[1]! += b; s[2]! += c; s[3]! += d; s[4]! += e; s[5]! += f; s[6]! += g; s[7]! += h;
  }
}

/** Whether `signature` over `message` is by the Ed25519 key `raw`. */
export async function verifyEd25519(raw: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  if (signature.length !== 64) return false;
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  } catch {
    return verifySlowly(raw, message, signature); // an older browser
  }
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

// Ed25519 by the book (RFC 8032, 5.1), for browsers that do not have it. Slow, and there are only a few to check.
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (x: bigint, m = P): bigint => ((x % m) + m) % m;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) result = mod(result * b);
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
type Point = [bigint, bigint, bigint, bigint];

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * t2 * D), d = mod(2n * z1 * z2);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(point: Point, scalar: bigint): Point {
  let result: Point = [0n, 1n, 1n, 0n];
  for (let p = point, s = scalar; s > 0n; s >>= 1n, p = add(p, p)) if (s & 1n) result = add(result, p);
  return result;
}

function little(data: Uint8Array): bigint {
  return BigInt(`0x${hex(data.slice().reverse())}`);
}

function point(data: Uint8Array): Point | null {
  const whole = little(data);
  const y = whole & (2n ** 255n - 1n);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * power(2n, (P - 1n) / 4n));
  if (mod(x * x - square) !== 0n) return null;
  if ((x & 1n) !== whole >> 255n) x = mod(-x);
  return [x, y, 1n, mod(x * y)];
}

export async function verifySlowly(raw: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  const a = point(raw), r = point(signature.subarray(0, 32)), s = little(signature.subarray(32));
  const base = point(unhex("5866666666666666666666666666666666666666666666666666666666666666"));
  if (!a || !r || !base || s >= L) return false;
  const hashed = await crypto.subtle.digest("SHA-512", join(signature.subarray(0, 32), raw, message));
  const k = mod(little(new Uint8Array(hashed)), L);
  const [x1, y1, z1] = times(base, s);
  const [x2, y2, z2] = add(r, times(a, k));
  return mod(x1 * z2 - x2 * z1) === 0n && mod(y1 * z2 - y2 * z1) === 0n;
}
