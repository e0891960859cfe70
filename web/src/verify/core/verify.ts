// Check a whole bundle: every item gets its own verdict, and the whole is valid only where every item is.
// The order, the codes and their gravity are those of docs/spec/bundle.md; nothing is sent anywhere.
import { Malformed, hashFile, hex, need, same, sha256, text, unbase64, unhex, utf8, join, type Bytes } from "./bytes";
import { checkClip } from "./clip";
import { accepts, cosignedAt, openEntry, parseKey, readNote, signaturesBy, type Note, type Opened } from "./log";
import { judgeToken } from "./token";
import { count, fields, hash, id, instantUs, list, parseBytes, str, type Fields, type Json } from "./told";

export type Verdict = "valid" | "partial" | "invalid";

export interface Fault {
  item: string;
  code: string;
  where: string;
  startUs?: number;
  endUs?: number;
  second?: number;
  ofDevice?: boolean;
}

export interface Report {
  verdict: Verdict;
  items: [string, Verdict][];
  faults: Fault[];
  codes: string[];
  disclosure: Fields | null;
  trust: Fields | null;
}

export type Files = Map<string, Blob>;

const PARTIAL = new Set([
  "custody-missing", "derivative-not-original", "dangling-end", "expired-at-claimed-time", "gap-unexplained",
  "keys-unconfirmed", "missing-nal", "times-overlap", "tsa-not-checkable", "tsa-missing", "witness-missing",
]);
const PARTIAL_OF_DEVICE = new Set(["not-signed", "untrusted-key"]);
const FINDINGS = new Set([
  "authentic", "not-signed", "bad-signature", "untrusted-key", "expired-at-claimed-time", "missing-nal", "dangling-end",
]);
const MANIFEST = "manifest-sha256.txt", TAG_MANIFEST = "tagmanifest-sha256.txt";
const STATEMENT = "proof/statement.json", TRUST = "proof/trust.json";
const CHECKPOINT = "data/checkpoint", DISCLOSURE = "data/disclosure.json", CUSTODY = "data/custody.json";
const TAGS = ["bag-info.txt", "bagit.txt", MANIFEST, STATEMENT, TRUST, "verify.html"];
const PAGES = ["data/page-one.pdf", "data/page-one.uk.html", "data/page-one.en.html"];
const BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const CLIP = /^data\/clips\/[0-9]{2,4}\.mp4$/;
const STAMP = /^proof\/stamp-[0-9]{1,2}\.tst$/;
const NAME = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;
const SLACK_US = 300e6, LATEST_US = 86_400e6;
const MOST_JSON = 256 << 20;

export function gravity(fault: Fault): Verdict {
  return PARTIAL.has(fault.code) || (fault.ofDevice && PARTIAL_OF_DEVICE.has(fault.code)) ? "partial" : "invalid";
}

function gravest(found: Verdict[]): Verdict {
  return found.includes("invalid") ? "invalid" : found.includes("partial") ? "partial" : "valid";
}

/** Check `files`. `trust` is the trust file got from elsewhere; without it the bundle's own copy is taken. */
export async function verify(files: Files, trust: Bytes | null, progress: (bytes: number) => void = () => {}): Promise<Report> {
  const one = new Examination(files, trust, progress);
  await one.run();
  const names = [...new Set([...one.items, ...one.faults.map((fault) => fault.item)])];
  const found = new Map<string, Verdict[]>(names.map((name) => [name, []]));
  for (const fault of one.faults) found.get(fault.item)!.push(gravity(fault));
  const items = [...found].map(([name, verdicts]): [string, Verdict] => [name, gravest(verdicts)]);
  const codes = [...new Set(one.faults.map((fault) => `${fault.item} ${fault.code}`))].sort();
  return { verdict: gravest(items.map(([, verdict]) => verdict)), items, faults: one.faults, codes, disclosure: one.told, trust: one.trust };
}

class Examination {
  items = ["trust", "bag", "statement", "log", "witnesses", "stamps", "disclosure", "custody"];
  faults: Fault[] = [];
  told: Fields | null = null;
  trust: Fields | null = null;
  private manifest = new Map<string, string>();
  private digests = new Map<string, string>();
  private sound = new Set<string>();
  private examined = new Set<string>();
  private latestUs = 0;
  private witnessedUs: number[] = [];

  constructor(private files: Files, private outside: Bytes | null, private progress: (bytes: number) => void) {}

  private add(item: string, code: string, where: string): void {
    this.faults.push({ item, code, where });
  }

  async run(): Promise<void> {
    if (await this.bag()) await this.steps();
    for (const item of this.items) if (!this.examined.has(item) && item !== "bag") this.add(item, "not-examined", item);
  }

  private async steps(): Promise<void> {
    const trust = await this.part("trust", () => this.readTrust());
    this.trust = trust;
    let note: Note | null = null;
    if (trust) {
      await this.part("statement", () => this.statement(trust));
      note = await this.part("log", () => this.log(trust));
    }
    const told = await this.part("disclosure", () => this.disclosure());
    this.told = told;
    const checkpoint = note;
    if (checkpoint && told) {
      const events = (await this.part("custody", () => this.custody(told, checkpoint))) ?? [];
      for (const clip of list(told["clips"])) await this.part(str(fields(clip)["path"]), () => this.clip(fields(clip), checkpoint));
      for (const one of list(told["files"])) await this.part(str(fields(one)["path"]), async () => this.file(fields(one), events));
    }
    if (trust && checkpoint) await this.part("witnesses", () => this.witnesses(trust, checkpoint));
    if (trust) await this.part("stamps", () => this.stamps(trust, told));
  }

  private async part<T>(item: string, step: () => Promise<T | null>): Promise<T | null> {
    this.examined.add(item);
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof RangeError || error instanceof DOMException)) throw error;
      this.add(item, "malformed", item);
      return null;
    }
  }

  private async read(name: string): Promise<Bytes> {
    const file = this.files.get(name);
    need(file && file.size <= MOST_JSON, `${name} is missing or too large`);
    return new Uint8Array(await file.arrayBuffer());
  }

  /** The file, where its bytes are those in its manifest; null, and a fault of `item`, otherwise. */
  private async rest(item: string, name: string): Promise<Bytes | null> {
    if (this.sound.has(name) && this.digests.has(name)) {
      const data = await this.read(name);
      if (hex(await sha256(data)) === this.digests.get(name)) return data;
    }
    this.add(item, "hash-mismatch", name);
    return null;
  }

  private async bag(): Promise<boolean> {
    let tags: Map<string, string>;
    try {
      this.manifest = readManifest(await this.read(MANIFEST));
      tags = readManifest(await this.read(TAG_MANIFEST));
      const placed = [...tags.keys()].every((n) => !n.startsWith("data/")) && [...this.manifest.keys()].every((n) => n.startsWith("data/"));
      need(placed, "a file is listed in the wrong manifest");
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.add("bag", "malformed", "manifests");
      return false;
    }
    const listed = new Map([...this.manifest, ...tags]);
    for (const name of this.files.keys()) if (name !== TAG_MANIFEST && !listed.has(name)) this.add("bag", "extra-file", name);
    for (const name of listed.keys()) if (!this.files.has(name)) this.add("bag", "missing-file", name);
    for (const name of TAGS) if (!tags.has(name)) this.add("bag", "missing-file", name);
    for (const name of tags.keys()) if (!TAGS.includes(name) && !STAMP.test(name)) this.add("bag", "extra-file", name);
    for (const [name, due] of listed) {
      const file = this.files.get(name);
      if (!file || name === TAG_MANIFEST) continue;
      if (CLIP.test(name)) {
        this.sound.add(name); // every byte of a clip is judged by its proof
        continue;
      }
      const have = await hashFile(file);
      this.digests.set(name, have);
      this.progress(file.size);
      if (have === due) this.sound.add(name);
      else this.add("bag", "hash-mismatch", name);
    }
    if (this.sound.has("bagit.txt") && !same(await this.read("bagit.txt"), utf8(BAGIT))) this.add("bag", "malformed", "bagit.txt");
    return true;
  }

  private async readTrust(): Promise<Fields | null> {
    let data: Uint8Array | null = this.outside;
    if (!data) {
      this.add("trust", "keys-unconfirmed", TRUST);
      data = await this.rest("trust", TRUST);
    }
    if (!data) return null;
    const names = ["format", "name", "ledger", "signer", "witnesses", "quorum", "authorities", "stamps"];
    const told = fields(parseBytes(data), names);
    for (const name of ["name", "ledger", "signer"]) str(told[name]);
    list(told["witnesses"]).forEach(str);
    for (const one of list(told["authorities"])) {
      const authority = fields(one, ["name", "root", "is_test"]);
      str(authority["name"]);
      str(authority["root"]);
      need(typeof authority["is_test"] === "boolean", "an authority has another form");
    }
    count(told["quorum"]);
    count(told["stamps"]);
    need(told["format"] === "svidok-trust/1", "the format is not known");
    return told;
  }

  private async statement(trust: Fields): Promise<null> {
    const data = await this.rest("statement", STATEMENT);
    if (!data) return null;
    const envelope = fields(parseBytes(data), ["payload", "payloadType", "signatures"]);
    const type = str(envelope["payloadType"]);
    need(type === "application/vnd.in-toto+json", "it is of another type");
    const payload = unbase64(str(envelope["payload"]));
    const signatures = list(envelope["signatures"]).map((one) => {
      const each = fields(one, ["keyid", "sig"]);
      return { id: str(each["keyid"]), signature: unbase64(str(each["sig"])) };
    });
    const key = await parseKey(str(trust["signer"]));
    const signed = join(utf8(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload);
    const own = signatures.filter((one) => one.id === key.id);
    const good = await Promise.all(own.map((one) => accepts(key, signed, one.signature)));
    if (!signatures.length) this.add("statement", "not-signed", STATEMENT);
    else if (!own.length) this.add("statement", "untrusted-key", STATEMENT);
    else if (key.type !== 1 || good.includes(false)) this.add("statement", "bad-signature", STATEMENT);
    const told = fields(parseBytes(payload));
    const known = told["_type"] === "https://in-toto.io/Statement/v1" && told["predicateType"] === "https://svidok.invalid/disclosure/1";
    need(known, "it is a statement of another kind");
    const subjects = new Map<string, string>();
    for (const one of list(told["subject"])) {
      const subject = fields(one, ["name", "digest"]);
      need(!subjects.has(str(subject["name"])), "a subject is there twice");
      subjects.set(str(subject["name"]), str(fields(subject["digest"])["sha256"]));
    }
    const due = new Map([...this.digests].filter(([name]) => !name.startsWith("data/") && name !== STATEMENT));
    for (const name of new Set([...due.keys(), ...subjects.keys()])) {
      if (subjects.get(name) !== due.get(name)) this.add("statement", "hash-mismatch", name);
    }
    return null;
  }

  private async log(trust: Fields): Promise<Note | null> {
    const data = await this.rest("log", CHECKPOINT);
    if (!data) return null;
    const note = readNote(data);
    const key = await parseKey(str(trust["ledger"]));
    const own = signaturesBy(note, key);
    const good = await Promise.all(own.map((one) => accepts(key, note.text, one)));
    if (!own.length || note.origin !== key.name) this.add("log", "untrusted-key", CHECKPOINT);
    else if (key.type !== 1 || good.includes(false)) this.add("log", "bad-signature", CHECKPOINT);
    return note;
  }

  private async witnesses(trust: Fields, note: Note): Promise<null> {
    const quorum = count(trust["quorum"]);
    let good = 0;
    for (const written of new Set(list(trust["witnesses"]).map(str))) {
      const key = await parseKey(written);
      const at = await cosignedAt(note, key);
      if (at === "bad" || (at !== null && key.type !== 4)) this.add("witnesses", "bad-signature", key.name);
      else if (at !== null) {
        good += 1;
        this.witnessedUs.push(at * 1_000_000);
        if (at * 1_000_000 + SLACK_US < this.latestUs) this.add("witnesses", "time-inconsistent", key.name);
      }
    }
    if (good < quorum) this.add("witnesses", "witness-quorum-missing", `${good} / ${quorum}`);
    else if (quorum === 0) this.add("witnesses", "witness-missing", CHECKPOINT);
    return null;
  }

  private async stamps(trust: Fields, told: Fields | null): Promise<null> {
    const digest = this.digests.get(MANIFEST);
    if (!digest) return null;
    const roots = list(trust["authorities"]).map((one) => unbase64(str(fields(one)["root"])));
    const needed = count(trust["stamps"]);
    const good = new Set<number>();
    let unknown = 0;
    for (const name of [...this.files.keys()].filter((one) => STAMP.test(one)).sort()) {
      const token = await this.rest("stamps", name);
      if (!token) continue;
      const judged = await judgeToken(token, unhex(digest), roots);
      if (judged.standing === "untrusted") this.add("stamps", "tsa-untrusted", name);
      else if (judged.standing === "not-checkable") {
        unknown += 1;
        this.add("stamps", "tsa-not-checkable", name);
      } else {
        good.add(judged.root);
        const made = told ? instantUs(told["made_at"]) : null;
        if (this.witnessedUs.length && judged.atUs + SLACK_US < Math.max(...this.witnessedUs)) this.add("stamps", "time-inconsistent", name);
        if (made !== null && !(made - SLACK_US <= judged.atUs && judged.atUs <= made + LATEST_US)) this.add("stamps", "time-inconsistent", name);
      }
    }
    if (good.size + unknown < needed) this.add("stamps", "tsa-quorum-missing", `${good.size} / ${needed}`);
    else if (needed === 0) this.add("stamps", "tsa-missing", "proof");
    return null;
  }

  private async disclosure(): Promise<Fields | null> {
    const data = await this.rest("disclosure", DISCLOSURE);
    if (!data) return null;
    const told = fields(parseBytes(data));
    need(told["format"] === "svidok-disclosure/1", "the format is not known");
    id(told["id"]);
    instantUs(told["made_at"]);
    const clips = list(told["clips"]).map((one) => readClip(one)), files = list(told["files"]).map((one) => readFile(one));
    const paths = [...clips.map((one) => str(one["path"])), ...files.map((one) => str(one["path"])), ...clips.map((one) => str(one["proof"]))];
    need(new Set(paths).size === paths.length && files.every((one) => str(one["path"]).startsWith("data/files/")), "a file is named twice");
    const placed = clips.every((one) => CLIP.test(str(one["path"])) && one["proof"] === str(one["path"]).replace(/mp4$/, "proof.json"));
    need(placed, "a clip or its proof has another name");
    const known = new Set([CHECKPOINT, DISCLOSURE, CUSTODY, ...PAGES, ...paths]);
    for (const name of this.manifest.keys()) if (!known.has(name)) this.add("disclosure", "extra-file", name);
    for (const name of known) if (!this.manifest.has(name)) this.add("disclosure", "missing-file", name);
    return told;
  }

  private async custody(told: Fields, note: Note): Promise<Opened[]> {
    const data = await this.rest("custody", CUSTODY);
    if (!data) return [];
    const custody = fields(parseBytes(data), ["format", "events"]);
    need(custody["format"] === "svidok-custody/1", "the format is not known");
    const events: Opened[] = [];
    for (const one of list(custody["events"])) events.push(await openEntry(one, note));
    events.forEach((one, n) => {
      this.latestUs = Math.max(this.latestUs, one.atUs);
      if (!one.good || !one.kind.startsWith("custody.") || one.payload["exhibit"] !== one.subject) this.add("custody", "not-in-log", `${n + 1}`);
    });
    const exhibits = new Set([...list(told["clips"]), ...list(told["files"])].map((one) => str(fields(one)["exhibit"])));
    const chains = new Map<string, Opened[]>([...exhibits].map((exhibit) => [exhibit, []]));
    for (const one of events) {
      const chain = chains.get(one.subject);
      if (chain) chain.push(one);
      else chains.set(one.subject, [one]);
    }
    for (const [exhibit, chain] of chains) {
      if (!exhibits.has(exhibit)) this.add("custody", "custody-broken", exhibit);
      else if (!chain.length) this.add("custody", "custody-missing", exhibit);
      else if (!isChain(chain)) this.add("custody", "custody-broken", exhibit);
    }
    return events;
  }

  private device(item: string, told: Json | undefined): void {
    if (told === null || told === undefined) return;
    for (const code of list(fields(told)["findings"]).map(str)) {
      if (code !== "authentic") this.faults.push({ item, code, where: item, ofDevice: true });
    }
  }

  private async clip(clip: Fields, note: Note): Promise<null> {
    const path = str(clip["path"]);
    this.items.push(path);
    this.device(path, clip["device_signature"]);
    const data = await this.rest(path, str(clip["proof"]));
    if (!data) return null;
    const file = this.files.get(path);
    if (!file || !this.sound.has(path)) {
      this.add(path, "missing-file", path);
      return null;
    }
    const told = fields(parseBytes(data), ["format", "clip", "channel", "from", "to", "segments", "gaps"]);
    need(told["format"] === "svidok-range/1", "the format is not known");
    for (const segment of list(told["segments"])) {
      this.latestUs = Math.max(this.latestUs, (await openEntry(fields(segment)["seal"], note)).atUs);
    }
    await checkClip(file, clip, told, note, (code, where, more) => this.faults.push({ item: path, code, where, ...more }), this.progress);
    return null;
  }

  private file(one: Fields, events: Opened[]): null {
    const path = str(one["path"]), digest = hash(one["sha256"]);
    this.items.push(path);
    this.device(path, one["device_signature"]);
    if (!this.sound.has(path) || this.digests.get(path) !== digest) this.add(path, "hash-mismatch", path);
    const stated = events.some((event) => event.subject === one["exhibit"] && event.good && event.payload["sha256"] === digest);
    if (!stated) this.add(path, "not-in-log", path);
    if (one["derived_from"] !== null) this.add(path, "derivative-not-original", path);
    return null;
  }
}

function readManifest(data: Uint8Array): Map<string, string> {
  const whole = text(data);
  need(whole.endsWith("\n"), "a manifest ends in a newline");
  const listed = new Map<string, string>(), folded = new Set<string>();
  let last = "";
  for (const line of whole.slice(0, -1).split("\n")) {
    const [, digest, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    need(digest && name && NAME.test(name) && name > last, "a line has another form");
    need(!name.split("/").some((part) => part === "." || part === "..") && !folded.has(name.toLowerCase()), "a line has another form");
    folded.add(name.toLowerCase());
    listed.set(name, digest);
    last = name;
  }
  return listed;
}

function readDevice(told: Json | undefined): void {
  need(told !== undefined, "a field is missing");
  if (told === null) return;
  const device = fields(told, ["scheme", "findings", "checked_at", "grounds"]);
  for (const name of ["scheme", "checked_at", "grounds"]) str(device[name]);
  need(list(device["findings"]).every((one) => FINDINGS.has(str(one))), "a finding is not known");
}

function readClip(told: Json): Fields {
  const one = fields(told);
  for (const name of ["path", "proof", "from", "to"]) str(one[name]);
  id(one["exhibit"]);
  id(one["channel"]);
  readDevice(one["device_signature"]);
  return one;
}

function readFile(told: Json): Fields {
  const one = fields(told);
  str(one["path"]);
  id(one["exhibit"]);
  hash(one["sha256"]);
  readDevice(one["device_signature"]);
  const derived = one["derived_from"];
  need(derived !== undefined, "a field is missing");
  if (derived !== null) {
    id(fields(derived)["exhibit"]);
    hash(fields(derived)["sha256"]);
  }
  return one;
}

/** Whether events number from one without holes, each naming the one before, later in time and in the log. */
function isChain(chain: Opened[]): boolean {
  let previous = "", at = 0, index = -1;
  return chain.every((one, n) => {
    const fits = one.payload["number"] === n + 1 && one.payload["previous"] === previous && one.atUs >= at && one.index > index;
    [previous, at, index] = [one.commitment, one.atUs, one.index];
    return fits;
  });
}

export const fingerprint = async (trust: Bytes): Promise<string> => hex(new Uint8Array(await crypto.subtle.digest("SHA-256", trust)));
