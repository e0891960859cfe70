package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// malformed is thrown where a file has another form than the specification says.
type malformed string

func need(ok bool, says string) {
	if !ok {
		panic(malformed(says))
	}
}

type object = map[string]any

var integer = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,15})$`)

// parseJSON gives the value that canonical bytes hold.
func parseJSON(data []byte) any {
	const deepest = 32
	need(utf8.Valid(data), "not UTF-8")
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	need(decoder.Decode(&value) == nil, "not JSON")
	_, err := decoder.Token()
	need(err == io.EOF, "more than one value")
	var out bytes.Buffer
	writeJSON(&out, value, deepest)
	need(bytes.Equal(out.Bytes(), data), "not canonical")
	return value
}

func writeJSON(out *bytes.Buffer, value any, depth int) {
	switch v := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case json.Number:
		need(integer.MatchString(string(v)), "not an integer")
		n, err := strconv.ParseInt(string(v), 10, 64)
		need(err == nil && n < 1<<53 && n > -(1<<53), "too great a number")
		out.WriteString(string(v))
	case string:
		writeString(out, v)
	case []any:
		need(depth > 0, "too deep")
		out.WriteByte('[')
		for i, one := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			writeJSON(out, one, depth-1)
		}
		out.WriteByte(']')
	case object:
		need(depth > 0, "too deep")
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		sort.Strings(names) // by bytes of UTF-8, which is by code point
		out.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			writeString(out, name)
			out.WriteByte(':')
			writeJSON(out, v[name], depth-1)
		}
		out.WriteByte('}')
	}
}

func writeString(out *bytes.Buffer, text string) {
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\b':
			out.WriteString(`\b`)
		case r == '\f':
			out.WriteString(`\f`)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r < 0x20:
			out.WriteString(`\u00` + hex.EncodeToString([]byte{byte(r)}))
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

func fields(value any, names ...string) object {
	found, ok := value.(object)
	need(ok, "an object is due")
	if len(names) > 0 {
		need(len(found) == len(names), "other fields are due")
		for _, name := range names {
			_, has := found[name]
			need(has, "a field is missing: "+name)
		}
	}
	return found
}

func text(value any) string {
	found, ok := value.(string)
	need(ok, "a text is due")
	return found
}

func number(value any) int64 {
	found, ok := value.(json.Number)
	need(ok, "a number is due")
	n, err := strconv.ParseInt(string(found), 10, 64)
	need(err == nil, "a number is due")
	return n
}

func count(value any) int64 {
	n := number(value)
	need(n >= 0, "a number below zero")
	return n
}

func list(value any) []any {
	found, ok := value.([]any)
	need(ok, "a list is due")
	return found
}

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
var idForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func hash(value any) []byte {
	digits := text(value)
	need(hashForm.MatchString(digits), "a hash is due")
	data, _ := hex.DecodeString(digits)
	return data
}

func id(value any) string {
	found := text(value)
	need(idForm.MatchString(found), "an id is due")
	return found
}

func path(value any) [][]byte {
	told := list(value)
	need(len(told) <= 64, "a path is too long")
	hashes := make([][]byte, len(told))
	for i, one := range told {
		hashes[i] = hash(one)
	}
	return hashes
}

func unbase64(encoded string) []byte {
	need(!strings.ContainsAny(encoded, "\r\n"), "not base64")
	data, err := base64.StdEncoding.Strict().DecodeString(encoded)
	need(err == nil && base64.StdEncoding.EncodeToString(data) == encoded, "not base64")
	return data
}

var instantForm = regexp.MustCompile(`^(?:19[789]\d|2[01]\d\d)-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$`)

func instant(value any) int64 {
	written := text(value)
	need(instantForm.MatchString(written), "an instant is due")
	at, err := time.Parse("2006-01-02T15:04:05.000000Z", written)
	need(err == nil, "no such instant")
	return at.UnixMicro()
}
