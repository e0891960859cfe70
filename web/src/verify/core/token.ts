// Time-stamp tokens (RFC 3161) by the narrow profile of docs/spec/bundle.md, with WebCrypto.
import { Malformed, hex, need, same, text, type Bytes } from "./bytes";

class NotCheckable extends Error {}

export type Judged =
  | { standing: "good"; root: number; atUs: number }
  | { standing: "untrusted" }
  | { standing: "not-checkable" };

interface Node {
  tag: number;
  body: Uint8Array;
  whole: Uint8Array;
}

const OID = {
  signedData: "2a864886f70d010702", tstInfo: "2a864886f70d0109100104", contentType: "2a864886f70d010903",
  messageDigest: "2a864886f70d010904", rsaKey: "2a864886f70d010101", ecKey: "2a8648ce3d0201",
  keyUsage: "551d25", timeStamping: "2b06010505070308", constraints: "551d13",
};
const HASHES: Record<string, string> = {
  "608648016503040201": "SHA-256", "608648016503040202": "SHA-384", "608648016503040203": "SHA-512",
};
const RSA: Record<string, string> = {
  "2a864886f70d010101": "", "2a864886f70d01010b": "SHA-256", "2a864886f70d01010c": "SHA-384", "2a864886f70d01010d": "SHA-512",
};
const ECDSA: Record<string, string> = {
  "2a8648ce3d040302": "SHA-256", "2a8648ce3d040303": "SHA-384", "2a8648ce3d040304": "SHA-512",
};
const CURVES: Record<string, [name: string, bytes: number]> = {
  "2a8648ce3d030107": ["P-256", 32], "2b81040022": ["P-384", 48],
};
const INTEGER = 0x02, OCTETS = 0x04, OBJECT = 0x06, TIME = 0x18, SEQUENCE = 0x30, SET = 0x31, FIRST = 0xa0;

function nodes(data: Uint8Array): Node[] {
  const found: Node[] = [];
  for (let at = 0; at < data.length; ) {
    need(at + 2 <= data.length, "it is torn");
    const tag = data[at]!;
    need((tag & 0x1f) !== 0x1f, "a tag has another form");
    let start = at + 2, length = data[at + 1]!;
    if (length & 0x80) {
      const count = length & 0x7f;
      need(count >= 1 && count <= 4 && start + count <= data.length, "a length is not in DER");
      length = 0;
      for (const byte of data.subarray(start, start + count)) length = length * 256 + byte;
      need(length >= 0x80 && length >= 256 ** (count - 1), "a length is not in DER");
      start += count;
    }
    need(start + length <= data.length, "it is torn");
    found.push({ tag, body: data.subarray(start, start + length), whole: data.subarray(at, start + length) });
    at = start + length;
  }
  return found;
}

function one(data: Uint8Array, tag: number): Node {
  const found = nodes(data);
  need(found.length === 1, "one element is due here");
  return expect(found[0], tag);
}

function expect(node: Node | undefined, tag: number, body?: string): Node {
  need(node && node.tag === tag && (body === undefined || hex(node.body) === body), "an element is of another kind");
  return node;
}

function algorithm(node: Node | undefined): string {
  need(node, "an algorithm is due here");
  return hex(nodes(node.body)[0]?.body ?? new Uint8Array());
}

interface Certificate {
  tbs: Uint8Array;
  issuer: Uint8Array;
  serial: Uint8Array;
  subject: Uint8Array;
  from: number;
  to: number;
  key: Uint8Array;
  scheme: string;
  signature: Uint8Array;
  extensions: Map<string, Uint8Array>;
}

function certificate(data: Uint8Array): Certificate {
  const [tbs, scheme, signature] = nodes(one(data, SEQUENCE).body);
  need(tbs && scheme && signature, "a certificate is torn");
  const parts = nodes(tbs.body);
  if (parts[0]?.tag === FIRST) parts.shift();
  const [serial, , issuer, validity, subject, key, ...rest] = parts;
  need(serial && issuer && validity && subject && key, "a certificate is torn");
  const [from, to] = nodes(validity.body);
  const extensions = new Map<string, Uint8Array>();
  const told = rest.find((part) => part.tag === 0xa3);
  for (const extension of told ? nodes(one(told.body, SEQUENCE).body) : []) {
    const fields = nodes(extension.body);
    const name = hex(fields[0]!.body);
    need(!extensions.has(name), "an extension is there twice");
    extensions.set(name, fields[fields.length - 1]!.body);
  }
  return {
    tbs: tbs.whole, issuer: issuer.whole, serial: serial.whole, subject: subject.whole, from: dated(from), to: dated(to),
    key: key.whole, scheme: algorithm(scheme), signature: signature.body.subarray(1), extensions,
  };
}

/** Seconds since 1970 of a UTCTime or a GeneralizedTime in a certificate. */
function dated(node: Node | undefined): number {
  need(node && (node.tag === 0x17 || node.tag === TIME), "a time is due here");
  let written = text(node.body);
  if (node.tag === 0x17) written = (Number(written.slice(0, 2)) < 50 ? "20" : "19") + written;
  return seconds(written.slice(0, 14), written.slice(14) === "Z");
}

function seconds(digits: string, fine = true): number {
  const p = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(digits);
  need(p && fine, "a time has another form");
  const iso = `${p[1]}-${p[2]}-${p[3]}T${p[4]}:${p[5]}:${p[6]}.000Z`;
  const ms = Date.parse(iso);
  need(!Number.isNaN(ms) && new Date(ms).toISOString() === iso, "there is no such time");
  return ms / 1000;
}

function raw(signature: Uint8Array, width: number): Bytes {
  const [r, s, ...more] = nodes(one(signature, SEQUENCE).body);
  need(r?.tag === INTEGER && s?.tag === INTEGER && more.length === 0, "a signature has another form");
  const out = new Uint8Array(2 * width);
  [r.body, s.body].forEach((value, n) => {
    let digits = value;
    while (digits.length > 1 && digits[0] === 0) digits = digits.subarray(1);
    need(digits.length <= width, "a signature has another form");
    out.set(digits, (n + 1) * width - digits.length);
  });
  return out;
}

/** Whether `signature` over `data` is by the key `spki`; throws `NotCheckable` for what this profile does not know. */
async function signs(spki: Uint8Array, scheme: string, digest: string, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const named = nodes(nodes(one(spki, SEQUENCE).body)[0]!.body);
  const kind = hex(named[0]!.body);
  if (kind === OID.rsaKey && scheme in RSA) {
    const how = { name: "RSASSA-PKCS1-v1_5", hash: RSA[scheme] || digest };
    const key = await crypto.subtle.importKey("spki", spki.slice(), how, false, ["verify"]);
    return crypto.subtle.verify(how.name, key, signature.slice(), data.slice());
  }
  if (kind === OID.ecKey && scheme in ECDSA) {
    const curve = CURVES[hex(named[1]?.body ?? new Uint8Array())];
    if (!curve) throw new NotCheckable();
    const key = await crypto.subtle.importKey("spki", spki.slice(), { name: "ECDSA", namedCurve: curve[0] }, false, ["verify"]);
    return crypto.subtle.verify({ name: "ECDSA", hash: ECDSA[scheme]! }, key, raw(signature, curve[1]), data.slice());
  }
  throw new NotCheckable();
}

async function issued(child: Certificate, by: Certificate): Promise<boolean> {
  if (!same(child.issuer, by.subject)) return false;
  try {
    return await signs(by.key, child.scheme, "", child.tbs, child.signature);
  } catch {
    return false;
  }
}

function isAuthority(found: Certificate): boolean {
  const told = found.extensions.get(OID.constraints);
  return told !== undefined && nodes(one(told, SEQUENCE).body).some((node) => node.tag === 0x01 && node.body[0] === 0xff);
}

async function findRoot(signer: Certificate, others: Certificate[], roots: Uint8Array[], at: number): Promise<number> {
  const usage = signer.extensions.get(OID.keyUsage);
  need(usage && nodes(one(usage, SEQUENCE).body).some((node) => hex(node.body) === OID.timeStamping), "it may not stamp time");
  const trusted = roots.map(certificate);
  let current = signer;
  for (let step = 0; step < 3; step++) {
    need(current.from <= at && at <= current.to, "a certificate was not valid at its instant");
    for (const [number, root] of trusted.entries()) if (await issued(current, root)) return number;
    let above: Certificate | undefined;
    for (const other of others) if (!above && isAuthority(other) && (await issued(current, other))) above = other;
    if (!above) break;
    current = above;
  }
  throw new Malformed("its signer leads to no authority that is trusted");
}

/** What `token` over something of the SHA-256 `digest` is worth to who trusts `roots`. */
export async function judgeToken(token: Uint8Array, digest: Uint8Array, roots: Uint8Array[]): Promise<Judged> {
  try {
    return await judge(token, digest, roots);
  } catch (error) {
    return { standing: error instanceof NotCheckable ? "not-checkable" : "untrusted" };
  }
}

async function judge(token: Uint8Array, digest: Uint8Array, roots: Uint8Array[]): Promise<Judged> {
  need(token.length <= 1 << 20, "it is too large");
  const [kind, content, ...more] = nodes(one(token, SEQUENCE).body);
  expect(kind, OBJECT, OID.signedData);
  need(content && more.length === 0, "it has another form");
  const [version, , encapsulated, ...rest] = nodes(one(content.body, SEQUENCE).body);
  expect(version, INTEGER);
  const bag = rest[0], signers = rest[rest.length - 1];
  need(content.tag === FIRST && encapsulated && bag?.tag === FIRST && signers?.tag === SET, "it holds no certificates or no signer");
  const [inner, wrapped, ...others] = nodes(encapsulated.body);
  expect(inner, OBJECT, OID.tstInfo);
  need(wrapped && others.length === 0, "it has another form");
  const info = one(wrapped.body, OCTETS).body;
  const [signer, ...moreSigners] = nodes(signers.body);
  need(signer && moreSigners.length === 0, "one signer is due");
  const { imprint, atUs } = readInfo(info);
  const own = readSigner(signer);
  const held = nodes(bag.body);
  const mine = held.filter((node) => isNamed(node, own.issuer, own.serial));
  need(mine.length === 1, "it does not hold its signer's certificate once");
  const signing = certificate(mine[0]!.whole);
  const between = held.filter((node) => node !== mine[0]).map((node) => certificate(node.whole));
  need(same(imprint, digest), "it is over something else");
  need(same(new Uint8Array(await crypto.subtle.digest(own.hash, info.slice())), own.digest), "its contents differ");
  need(await signs(signing.key, own.scheme, own.hash, own.signed, own.signature), "the signature does not fit");
  return { standing: "good", root: await findRoot(signing, between, roots, Math.floor(atUs / 1_000_000)), atUs };
}

function isNamed(node: Node, issuer: Uint8Array, serial: Uint8Array): boolean {
  const parts = nodes(nodes(node.body)[0]!.body);
  const first = parts[0]!.tag === FIRST ? 1 : 0;
  return same(parts[first + 2]!.whole, issuer) && same(parts[first]!.whole, serial);
}

function readInfo(info: Uint8Array): { imprint: Uint8Array; atUs: number } {
  const [, , imprint, , at] = nodes(one(info, SEQUENCE).body);
  const [named, hashed, ...more] = nodes(imprint?.body ?? new Uint8Array());
  need(named && hashed && more.length === 0, "its imprint has another form");
  if (HASHES[algorithm(named)] !== "SHA-256") throw new NotCheckable();
  const written = /^((?:19[789]|2[01]\d)\d{11})(?:\.(\d+))?Z$/.exec(text(expect(at, TIME).body));
  need(written, "its instant has another form");
  return { imprint: hashed.body, atUs: seconds(written[1]!) * 1_000_000 + Number(`${written[2] ?? ""}000000`.slice(0, 6)) };
}

function readSigner(signer: Node) {
  const [, name, digestAlgorithm, attributes, scheme, signature] = nodes(signer.body);
  need(name?.tag === SEQUENCE && attributes?.tag === FIRST && scheme && signature?.tag === OCTETS, "its signer has another form");
  const found = new Map<string, Node[]>();
  for (const attribute of nodes(attributes.body)) {
    const [kind, values, ...more] = nodes(attribute.body);
    need(kind && values && more.length === 0 && !found.has(hex(kind.body)), "an attribute has another form");
    found.set(hex(kind.body), nodes(values.body));
  }
  const contentType = found.get(OID.contentType) ?? [], messageDigest = found.get(OID.messageDigest) ?? [];
  need(contentType.length === 1 && messageDigest.length === 1, "an attribute is missing");
  expect(contentType[0], OBJECT, OID.tstInfo);
  const digest = expect(messageDigest[0], OCTETS).body;
  const hash = HASHES[algorithm(digestAlgorithm)];
  if (!hash) throw new NotCheckable();
  const [issuer, serial, ...more] = nodes(name.body);
  need(issuer && serial && more.length === 0, "its signer has another form");
  const signed = attributes.whole.slice();
  signed[0] = SET;
  return { digest, hash, scheme: algorithm(scheme), signature: signature.body, signed, issuer: issuer.whole, serial: serial.whole };
}
