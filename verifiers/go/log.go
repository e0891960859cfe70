package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

func sha(parts ...[]byte) []byte {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// included says whether siblings lead from leaf, number index of size, to root (RFC 9162, 2.1.3.2).
func included(leaf []byte, index, size int64, siblings [][]byte, root []byte) bool {
	if index < 0 || index >= size {
		return false
	}
	fn, sn, r := index, size-1, leaf
	for _, p := range siblings {
		if sn == 0 {
			return false
		}
		if fn&1 == 1 || fn == sn {
			r = sha([]byte{1}, p, r)
			for fn&1 == 0 && fn != 0 {
				fn >>= 1
				sn >>= 1
			}
		} else {
			r = sha([]byte{1}, r, p)
		}
		fn >>= 1
		sn >>= 1
	}
	return sn == 0 && bytes.Equal(r, root)
}

type key struct {
	name, id string
	kind     byte
	raw      []byte
}

func parseKey(written string) key {
	parts := strings.SplitN(written, "+", 3)
	need(len(parts) == 3 && parts[0] != "", "not a verifier key")
	data := unbase64(parts[2])
	need(len(data) == 33 && (data[0] == 1 || data[0] == 4), "not an Ed25519 verifier key")
	digest := sha([]byte(parts[0]+"\n"), data)
	need(hex.EncodeToString(digest[:4]) == parts[1], "the key's id does not fit")
	return key{parts[0], parts[1], data[0], data[1:]}
}

func (k key) accepts(message, signature []byte) bool {
	return len(signature) == ed25519.SignatureSize && ed25519.Verify(k.raw, message, signature)
}

type signature struct {
	name, id string
	data     []byte
}

type note struct {
	origin string
	size   int64
	root   []byte
	text   []byte
	lines  []signature
}

func readNote(data []byte) note {
	need(utf8.Valid(data), "not UTF-8")
	parts := strings.SplitN(string(data), "\n\n", 2)
	need(len(parts) == 2, "no signatures")
	lines := strings.Split(parts[0], "\n")
	need(len(lines) == 3 && lines[0] != "" && strings.HasSuffix(parts[1], "\n"), "not a checkpoint")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	need(err == nil && size >= 0 && size < 1<<53 && strconv.FormatInt(size, 10) == lines[1], "the size is wrong")
	root := unbase64(lines[2])
	need(len(root) == 32, "the root is not 32 bytes long")
	found := note{lines[0], size, root, []byte(parts[0] + "\n"), nil}
	for _, line := range strings.Split(strings.TrimSuffix(parts[1], "\n"), "\n") {
		need(strings.HasPrefix(line, "— "), "not a signature line")
		name, encoded, ok := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		need(ok && name != "", "not a signature line")
		signed := unbase64(encoded)
		cut := len(signed)
		if cut > 4 {
			cut = 4
		}
		found.lines = append(found.lines, signature{name, hex.EncodeToString(signed[:cut]), signed[cut:]})
	}
	return found
}

func (n note) by(k key) [][]byte {
	var found [][]byte
	for _, line := range n.lines {
		if line.name == k.name && line.id == k.id {
			found = append(found, line.data)
		}
	}
	return found
}

// cosigned gives the time of the cosignature by k, and whether there is one, and whether it is bad.
func (n note) cosigned(k key) (at int64, found, bad bool) {
	all := n.by(k)
	if len(all) == 0 {
		return 0, false, false
	}
	if len(all[0]) != 72 {
		return 0, true, true
	}
	seconds := binary.BigEndian.Uint64(all[0])
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", seconds)), n.text...)
	if seconds >= 1<<40 || !k.accepts(message, all[0][8:]) {
		return 0, true, true
	}
	return int64(seconds), true, false
}

type entry struct {
	kind, subject, commitment string
	at, index                 int64
	payload                   object
	good                      bool
}

func openEntry(told any, n note) entry {
	one := fields(told, "leaf", "payload", "salt", "index", "inclusion")
	leafText, payloadText := text(one["leaf"]), text(one["payload"])
	salt, index, siblings := hash(one["salt"]), count(one["index"]), path(one["inclusion"])
	leaf := fields(parseJSON([]byte(leafText)), "at", "commitment", "id", "kind", "subject", "v")
	payload := fields(parseJSON([]byte(payloadText)))
	need(number(leaf["v"]) == 1, "not an entry")
	id(leaf["id"])
	id(leaf["subject"])
	commitment := hash(leaf["commitment"])
	good := bytes.Equal(sha(salt, []byte(payloadText)), commitment) &&
		included(sha([]byte{0}, []byte(leafText)), index, n.size, siblings, n.root)
	return entry{text(leaf["kind"]), text(leaf["subject"]), hex.EncodeToString(commitment),
		instant(leaf["at"]), index, payload, good}
}
