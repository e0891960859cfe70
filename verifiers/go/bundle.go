package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// files is a bundle: names and contents.
type files interface {
	names() []string
	size(name string) (int64, bool)
	open(name string) (io.ReadSeeker, func(), error)
}

type fault struct {
	Item  string `json:"item"`
	Code  string `json:"code"`
	Where string `json:"where"`
	soft  bool
}

var partial = map[string]bool{}
var partialOfDevice = map[string]bool{"not-signed": true, "untrusted-key": true}
var findings = map[string]bool{}
var tags = map[string]bool{}

func init() {
	for _, code := range strings.Fields("custody-missing derivative-not-original dangling-end expired-at-claimed-time gap-unexplained keys-unconfirmed missing-nal times-overlap tsa-not-checkable tsa-missing witness-missing") {
		partial[code] = true
	}
	for _, one := range strings.Fields("authentic not-signed bad-signature untrusted-key expired-at-claimed-time missing-nal dangling-end") {
		findings[one] = true
	}
	for _, name := range strings.Fields("bagit.txt bag-info.txt manifest-sha256.txt verify.html proof/statement.json proof/trust.json") {
		tags[name] = true
	}
}

const (
	manifestName, tagManifest = "manifest-sha256.txt", "tagmanifest-sha256.txt"
	statementName, trustName  = "proof/statement.json", "proof/trust.json"
	slack                     = 300 * 1000000
	latest                    = 86400 * 1000000
	mostJSON                  = 256 << 20
)

var clipForm = regexp.MustCompile(`^data/clips/[0-9]{2,4}\.mp4$`)
var stampForm = regexp.MustCompile(`^proof/stamp-[0-9]{1,2}\.tst$`)
var lineForm = regexp.MustCompile(`^([0-9a-f]{64})  ([A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)$`)

type examination struct {
	files     files
	outside   []byte
	items     []string
	faults    []fault
	manifest  map[string]string
	digests   map[string]string
	sound     map[string]bool
	examined  map[string]bool
	present   []string
	latest    int64
	witnessed []int64
}

type verdict struct {
	Verdict string            `json:"verdict"`
	Items   map[string]string `json:"items"`
	Codes   []string          `json:"codes"`
	Faults  []fault           `json:"faults"`
	order   []string
}

func verify(f files, trust []byte) verdict {
	e := &examination{files: f, outside: trust, digests: map[string]string{}, sound: map[string]bool{}, examined: map[string]bool{"bag": true}}
	e.items = []string{"trust", "bag", "statement", "log", "witnesses", "stamps", "disclosure", "custody"}
	if e.bag() {
		e.steps()
	}
	for _, item := range e.items {
		if !e.examined[item] {
			e.add(item, "not-examined", item)
		}
	}
	result := verdict{Verdict: "valid", Items: map[string]string{}, Codes: []string{}, Faults: e.faults}
	for _, item := range e.items {
		if _, known := result.Items[item]; !known {
			result.order = append(result.order, item)
			result.Items[item] = "valid"
		}
	}
	codes := map[string]bool{}
	for _, one := range e.faults {
		worse(result.Items, one)
		codes[one.Item+" "+one.Code] = true
	}
	for code := range codes {
		result.Codes = append(result.Codes, code)
	}
	sort.Strings(result.Codes)
	for _, one := range result.Items {
		if one == "invalid" || (one == "partial" && result.Verdict == "valid") {
			result.Verdict = one
		}
	}
	return result
}

func worse(items map[string]string, one fault) {
	if !partial[one.Code] && !one.soft {
		items[one.Item] = "invalid"
	} else if items[one.Item] != "invalid" {
		items[one.Item] = "partial"
	}
}

func (e *examination) add(item, code, where string) {
	e.faults = append(e.faults, fault{item, code, where, false})
}

// part runs a step; where a file of it has another form, that is a fault of the item.
func (e *examination) part(item string, step func()) (ok bool) {
	e.examined[item] = true
	defer func() {
		if caught := recover(); caught != nil {
			if _, ours := caught.(malformed); !ours {
				panic(caught)
			}
			e.add(item, "malformed", fmt.Sprint(caught))
			ok = false
		}
	}()
	step()
	return true
}

func (e *examination) read(name string) []byte {
	size, ok := e.files.size(name)
	need(ok && size <= mostJSON, name+" is missing or too large")
	file, done, err := e.files.open(name)
	need(err == nil, name+" cannot be read")
	defer done()
	data, err := io.ReadAll(file)
	need(err == nil, name+" cannot be read")
	return data
}

// rest gives a file whose bytes are those in its manifest; nothing, and a fault, otherwise.
func (e *examination) rest(item, name string) []byte {
	if due, hashed := e.digests[name]; hashed && e.sound[name] {
		data := e.read(name)
		if hex.EncodeToString(sha(data)) == due {
			return data
		}
	}
	e.add(item, "hash-mismatch", name)
	return nil
}

func readManifest(data []byte) map[string]string {
	need(bytes.HasSuffix(data, []byte("\n")), "a manifest ends in a newline")
	listed, folded, last := map[string]string{}, map[string]bool{}, ""
	for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		found := lineForm.FindStringSubmatch(line)
		need(found != nil && found[2] > last, "a line has another form")
		for _, part := range strings.Split(found[2], "/") {
			need(part != "." && part != "..", "a line has another form")
		}
		last = found[2]
		listed[last] = found[1]
		lower := strings.ToLower(last)
		need(!folded[lower], "two paths differ only in case")
		folded[lower] = true
	}
	return listed
}

func (e *examination) bag() bool {
	var listedTags map[string]string
	if !e.part("bag", func() {
		e.manifest, listedTags = readManifest(e.read(manifestName)), readManifest(e.read(tagManifest))
		for name := range e.manifest {
			need(strings.HasPrefix(name, "data/"), "wrong manifest")
		}
		for name := range listedTags {
			need(!strings.HasPrefix(name, "data/"), "wrong manifest")
		}
	}) {
		return false
	}
	e.present = e.files.names()
	sort.Strings(e.present)
	here := map[string]bool{}
	for _, name := range e.present {
		here[name] = true
		_, a := e.manifest[name]
		_, b := listedTags[name]
		if !a && !b && name != tagManifest {
			e.add("bag", "extra-file", name)
		}
	}
	for name := range tags {
		if _, listed := listedTags[name]; !listed {
			e.add("bag", "missing-file", name)
		}
	}
	for _, all := range []map[string]string{e.manifest, listedTags} {
		for name, due := range all {
			if !strings.HasPrefix(name, "data/") && !tags[name] && !stampForm.MatchString(name) {
				e.add("bag", "extra-file", name)
			}
			if !here[name] {
				e.add("bag", "missing-file", name)
			} else if name != tagManifest {
				e.hash(name, due)
			}
		}
	}
	if e.sound["bagit.txt"] && string(e.read("bagit.txt")) != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n" {
		e.add("bag", "malformed", "bagit.txt")
	}
	return true
}

func (e *examination) hash(name, due string) {
	if clipForm.MatchString(name) {
		e.sound[name] = true
		return
	}
	file, done, err := e.files.open(name)
	if err != nil {
		e.add("bag", "missing-file", name)
		return
	}
	defer done()
	h := sha256.New()
	io.Copy(h, file)
	e.digests[name] = hex.EncodeToString(h.Sum(nil))
	if e.digests[name] == due {
		e.sound[name] = true
	} else {
		e.add("bag", "hash-mismatch", name)
	}
}

func (e *examination) steps() {
	var trust, told object
	var checkpoint *note
	e.part("trust", func() { trust = e.trust() })
	if trust != nil {
		e.part("statement", func() { e.statement(trust) })
		e.part("log", func() { checkpoint = e.log(trust) })
	}
	e.part("disclosure", func() { told = e.disclosure() })
	if checkpoint != nil && told != nil {
		var events []entry
		e.part("custody", func() { events = e.custody(told, *checkpoint) })
		for _, one := range list(told["clips"]) {
			clip := fields(one)
			e.part(text(clip["path"]), func() { e.clip(clip, *checkpoint) })
		}
		for _, one := range list(told["files"]) {
			file := fields(one)
			e.part(text(file["path"]), func() { e.file(file, events) })
		}
	}
	if trust != nil && checkpoint != nil {
		e.part("witnesses", func() { e.witnesses(trust, *checkpoint) })
	}
	if trust != nil {
		e.part("stamps", func() { e.stamps(trust, told) })
	}
}

func (e *examination) trust() object {
	data := e.outside
	if data == nil {
		e.add("trust", "keys-unconfirmed", trustName)
		if data = e.rest("trust", trustName); data == nil {
			return nil
		}
	}
	told := fields(parseJSON(data), "format", "name", "ledger", "signer", "witnesses", "quorum", "authorities", "stamps")
	text(told["name"])
	text(told["ledger"])
	text(told["signer"])
	for _, one := range list(told["witnesses"]) {
		text(one)
	}
	for _, one := range list(told["authorities"]) {
		authority := fields(one, "name", "root", "is_test")
		text(authority["name"])
		text(authority["root"])
		_, ok := authority["is_test"].(bool)
		need(ok, "is_test")
	}
	count(told["quorum"])
	count(told["stamps"])
	need(text(told["format"]) == "svidok-trust/1", "format")
	return told
}

func (e *examination) statement(trust object) {
	data := e.rest("statement", statementName)
	if data == nil {
		return
	}
	envelope := fields(parseJSON(data), "payload", "payloadType", "signatures")
	kind := text(envelope["payloadType"])
	need(kind == "application/vnd.in-toto+json", "payloadType")
	payload := unbase64(text(envelope["payload"]))
	signed := append([]byte(fmt.Sprintf("DSSEv1 %d %s %d ", len(kind), kind, len(payload))), payload...)
	signatures := list(envelope["signatures"])
	var ids []string
	var values [][]byte
	for _, one := range signatures {
		each := fields(one, "keyid", "sig")
		ids, values = append(ids, text(each["keyid"])), append(values, unbase64(text(each["sig"])))
	}
	k := parseKey(text(trust["signer"]))
	own, fits := 0, true
	for i, keyid := range ids {
		if keyid == k.id {
			own++
			fits = fits && k.accepts(signed, values[i])
		}
	}
	switch {
	case len(signatures) == 0:
		e.add("statement", "not-signed", statementName)
	case own == 0:
		e.add("statement", "untrusted-key", statementName)
	case k.kind != 1 || !fits:
		e.add("statement", "bad-signature", statementName)
	}
	told := fields(parseJSON(payload))
	need(told["_type"] == any("https://in-toto.io/Statement/v1") && told["predicateType"] == any("https://svidok.invalid/disclosure/1"), "kind")
	subjects := map[string]string{}
	for _, one := range list(told["subject"]) {
		subject := fields(one, "name", "digest")
		_, twice := subjects[text(subject["name"])]
		need(!twice, "a subject twice")
		subjects[text(subject["name"])] = text(fields(subject["digest"])["sha256"])
	}
	for name, digest := range e.digests {
		if strings.HasPrefix(name, "data/") || name == statementName {
			continue
		}
		if subjects[name] != digest {
			e.add("statement", "hash-mismatch", name)
		}
		delete(subjects, name)
	}
	for name := range subjects {
		e.add("statement", "hash-mismatch", name)
	}
}

func (e *examination) log(trust object) *note {
	data := e.rest("log", "data/checkpoint")
	if data == nil {
		return nil
	}
	n, k := readNote(data), parseKey(text(trust["ledger"]))
	own, fits := n.by(k), true
	for _, one := range own {
		fits = fits && k.accepts(n.text, one)
	}
	if len(own) == 0 || n.origin != k.name {
		e.add("log", "untrusted-key", "data/checkpoint")
	} else if k.kind != 1 || !fits {
		e.add("log", "bad-signature", "data/checkpoint")
	}
	return &n
}

func (e *examination) witnesses(trust object, n note) {
	quorum, signed, seen := count(trust["quorum"]), int64(0), map[string]bool{}
	for _, one := range list(trust["witnesses"]) {
		if seen[text(one)] {
			continue
		}
		seen[text(one)] = true
		k := parseKey(text(one))
		at, found, bad := n.cosigned(k)
		if bad || (found && k.kind != 4) {
			e.add("witnesses", "bad-signature", k.name)
		} else if found {
			signed++
			e.witnessed = append(e.witnessed, at*1000000)
			if at*1000000+slack < e.latest {
				e.add("witnesses", "time-inconsistent", k.name)
			}
		}
	}
	if signed < quorum {
		e.add("witnesses", "witness-quorum-missing", fmt.Sprintf("%d of %d", signed, quorum))
	} else if quorum == 0 {
		e.add("witnesses", "witness-missing", "data/checkpoint")
	}
}

func (e *examination) stamps(trust, told object) {
	digest, hashed := e.digests[manifestName]
	if !hashed {
		return
	}
	var roots [][]byte
	for _, one := range list(trust["authorities"]) {
		roots = append(roots, unbase64(text(fields(one)["root"])))
	}
	over, _ := hex.DecodeString(digest)
	counted, notChecked, needed := map[int]bool{}, 0, count(trust["stamps"])
	last := int64(0)
	for _, at := range e.witnessed {
		last = max(last, at)
	}
	for _, name := range e.present {
		if !stampForm.MatchString(name) {
			continue
		}
		token := e.rest("stamps", name)
		if token == nil {
			continue
		}
		result, root, at := judgeToken(token, over, roots)
		switch result {
		case untrusted:
			e.add("stamps", "tsa-untrusted", name)
		case unknown:
			notChecked++
			e.add("stamps", "tsa-not-checkable", name)
		default:
			counted[root] = true
			if len(e.witnessed) > 0 && at+slack < last {
				e.add("stamps", "time-inconsistent", name)
			}
			if told != nil {
				if made := instant(told["made_at"]); at < made-slack || at > made+latest {
					e.add("stamps", "time-inconsistent", name)
				}
			}
		}
	}
	if int64(len(counted)+notChecked) < needed {
		e.add("stamps", "tsa-quorum-missing", fmt.Sprintf("%d of %d", len(counted), needed))
	} else if needed == 0 {
		e.add("stamps", "tsa-missing", "proof")
	}
}

func readDevice(told object) {
	found, has := told["device_signature"]
	need(has, "device_signature")
	if found == nil {
		return
	}
	device := fields(found, "scheme", "findings", "checked_at", "grounds")
	text(device["scheme"])
	text(device["checked_at"])
	text(device["grounds"])
	for _, one := range list(device["findings"]) {
		need(findings[text(one)], "finding")
	}
}

func (e *examination) disclosure() object {
	data := e.rest("disclosure", "data/disclosure.json")
	if data == nil {
		return nil
	}
	told := fields(parseJSON(data))
	need(text(told["format"]) == "svidok-disclosure/1", "format")
	id(told["id"])
	instant(told["made_at"])
	known := map[string]bool{}
	for _, name := range strings.Fields("data/checkpoint data/disclosure.json data/custody.json data/page-one.pdf data/page-one.uk.html data/page-one.en.html") {
		known[name] = true
	}
	named := map[string]bool{}
	take := func(name string) {
		need(!named[name], "a file twice")
		named[name], known[name] = true, true
	}
	for _, one := range list(told["clips"]) {
		clip := fields(one)
		need(clipForm.MatchString(text(clip["path"])), "a clip's name")
		take(text(clip["path"]))
		take(text(clip["proof"]))
		need(text(clip["proof"]) == strings.TrimSuffix(text(clip["path"]), "mp4")+"proof.json", "a proof's name")
		id(clip["exhibit"])
		id(clip["channel"])
		text(clip["from"])
		text(clip["to"])
		readDevice(clip)
	}
	for _, one := range list(told["files"]) {
		file := fields(one)
		take(text(file["path"]))
		need(strings.HasPrefix(text(file["path"]), "data/files/"), "a file's name")
		id(file["exhibit"])
		hash(file["sha256"])
		readDevice(file)
		derived, has := file["derived_from"]
		need(has, "derived_from")
		if derived != nil {
			id(fields(derived)["exhibit"])
			hash(fields(derived)["sha256"])
		}
	}
	for name := range e.manifest {
		if !known[name] {
			e.add("disclosure", "extra-file", name)
		}
	}
	for name := range known {
		if _, listed := e.manifest[name]; !listed {
			e.add("disclosure", "missing-file", name)
		}
	}
	return told
}

func (e *examination) custody(told object, n note) []entry {
	data := e.rest("custody", "data/custody.json")
	if data == nil {
		return nil
	}
	custody := fields(parseJSON(data), "format", "events")
	need(text(custody["format"]) == "svidok-custody/1", "format")
	var events []entry
	chains := map[string][]entry{}
	for _, one := range list(custody["events"]) {
		events = append(events, openEntry(one, n))
	}
	for i, one := range events {
		e.latest = max(e.latest, one.at)
		chains[one.subject] = append(chains[one.subject], one)
		if !one.good || !strings.HasPrefix(one.kind, "custody.") || one.payload["exhibit"] != any(one.subject) {
			e.add("custody", "not-in-log", fmt.Sprintf("event %d", i+1))
		}
	}
	exhibits := map[string]bool{}
	for _, one := range append(append([]any{}, list(told["clips"])...), list(told["files"])...) {
		exhibits[text(fields(one)["exhibit"])] = true
	}
	for exhibit := range exhibits {
		if len(chains[exhibit]) == 0 {
			e.add("custody", "custody-missing", exhibit)
		}
	}
	for exhibit, chain := range chains {
		if !exhibits[exhibit] || !isChain(chain) {
			e.add("custody", "custody-broken", exhibit)
		}
	}
	return events
}

func isChain(chain []entry) bool {
	previous, at, index := "", int64(0), int64(-1)
	for i, one := range chain {
		if one.payload["number"] != any(json.Number(strconv.Itoa(i+1))) || one.payload["previous"] != any(previous) || one.at < at || one.index <= index {
			return false
		}
		previous, at, index = one.commitment, one.at, one.index
	}
	return true
}

func (e *examination) device(item string, told object) {
	e.items = append(e.items, item)
	if told["device_signature"] == nil {
		return
	}
	for _, one := range list(fields(told["device_signature"])["findings"]) {
		if code := text(one); code != "authentic" {
			e.faults = append(e.faults, fault{item, code, "device", partialOfDevice[code]})
		}
	}
}

func (e *examination) clip(clip object, n note) {
	name := text(clip["path"])
	e.device(name, clip)
	data := e.rest(name, text(clip["proof"]))
	if data == nil {
		return
	}
	size, here := e.files.size(name)
	if !e.sound[name] || !here {
		e.add(name, "missing-file", name)
		return
	}
	told := fields(parseJSON(data), "format", "clip", "channel", "from", "to", "segments", "gaps")
	need(text(told["format"]) == "svidok-range/1", "format")
	for _, one := range list(told["segments"]) {
		e.latest = max(e.latest, openEntry(fields(one)["seal"], n).at)
	}
	file, done, err := e.files.open(name)
	need(err == nil, "the clip cannot be read")
	defer done()
	checkClip(file, size, clip, told, n, func(code, where string) { e.add(name, code, where) })
}

func (e *examination) file(told object, events []entry) {
	name, digest := text(told["path"]), text(told["sha256"])
	e.device(name, told)
	if !e.sound[name] || e.digests[name] != digest {
		e.add(name, "hash-mismatch", name)
	}
	stated := false
	for _, one := range events {
		stated = stated || (one.good && one.subject == text(told["exhibit"]) && one.payload["sha256"] == any(digest))
	}
	if !stated {
		e.add(name, "not-in-log", name)
	}
	if told["derived_from"] != nil {
		e.add(name, "derivative-not-original", name)
	}
}
