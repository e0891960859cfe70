package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
)

type notCheckable string

type standing int

const (
	untrusted standing = iota
	unknown
	good
)

type der struct {
	tag         byte
	body, whole []byte
}

func nodes(data []byte) []der {
	var found []der
	for at := 0; at < len(data); {
		need(at+2 <= len(data) && data[at]&0x1f != 0x1f, "torn")
		start, length := at+2, int(data[at+1])
		if length&0x80 != 0 {
			n := length & 0x7f
			need(n >= 1 && n <= 4 && start+n <= len(data), "not DER")
			length = 0
			for _, b := range data[start : start+n] {
				length = length<<8 | int(b)
			}
			need(length >= 0x80 && length>>(8*(n-1)) != 0, "not DER")
			start += n
		}
		need(start+length <= len(data), "torn")
		found = append(found, der{data[at], data[start : start+length], data[at : start+length]})
		at = start + length
	}
	return found
}

func single(data []byte, tag byte) der {
	found := nodes(data)
	need(len(found) == 1 && found[0].tag == tag, "one element is due")
	return found[0]
}

func is(n der, tag byte, oid string) bool {
	return n.tag == tag && (oid == "" || hex.EncodeToString(n.body) == oid)
}

func algorithm(n der) string {
	inner := nodes(n.body)
	need(len(inner) > 0, "an algorithm is due")
	return hex.EncodeToString(inner[0].body)
}

const tstInfo = "2a864886f70d0109100104"

var hashes = map[string]crypto.Hash{
	"608648016503040201": crypto.SHA256, "608648016503040202": crypto.SHA384, "608648016503040203": crypto.SHA512,
}
var rsaSchemes = map[string]crypto.Hash{
	"2a864886f70d010101": 0, "2a864886f70d01010b": crypto.SHA256, "2a864886f70d01010c": crypto.SHA384, "2a864886f70d01010d": crypto.SHA512,
}
var ecdsaSchemes = map[string]crypto.Hash{
	"2a8648ce3d040302": crypto.SHA256, "2a8648ce3d040303": crypto.SHA384, "2a8648ce3d040304": crypto.SHA512,
}

func digestOf(h crypto.Hash, data []byte) []byte {
	d := h.New()
	d.Write(data)
	return d.Sum(nil)
}

// judgeToken says what a token over something of that digest is worth, which root it leads to, and its instant.
func judgeToken(token, digest []byte, roots [][]byte) (result standing, root int, at int64) {
	defer func() {
		switch recover().(type) {
		case nil:
		case notCheckable:
			result = unknown
		default:
			result = untrusted
		}
	}()
	need(len(token) <= 1<<20, "too large")
	outer := nodes(single(token, 0x30).body)
	need(len(outer) == 2 && is(outer[0], 6, "2a864886f70d010702") && outer[1].tag == 0xa0, "not SignedData")
	parts := nodes(single(outer[1].body, 0x30).body)
	need(len(parts) >= 5 && parts[0].tag == 2, "torn")
	bag, signers := parts[3], parts[len(parts)-1]
	need(bag.tag == 0xa0 && signers.tag == 0x31, "no certificates or no signer")
	content := nodes(parts[2].body)
	need(len(content) == 2 && is(content[0], 6, tstInfo), "not TSTInfo")
	info := single(content[1].body, 4).body
	all := nodes(signers.body)
	need(len(all) == 1, "one signer is due")

	tst := nodes(single(info, 0x30).body)
	need(len(tst) >= 5, "torn")
	imprint := nodes(tst[2].body)
	need(len(imprint) == 2, "torn")
	if hashes[algorithm(imprint[0])] != crypto.SHA256 {
		panic(notCheckable("imprint"))
	}
	need(tst[4].tag == 0x18, "no instant")
	at = generalized(string(tst[4].body))

	signer := nodes(all[0].body)
	need(len(signer) >= 6 && signer[1].tag == 0x30 && signer[3].tag == 0xa0 && signer[5].tag == 4, "not a signer")
	attributes := map[string][]der{}
	for _, one := range nodes(signer[3].body) {
		inner := nodes(one.body)
		need(len(inner) == 2, "torn")
		name := hex.EncodeToString(inner[0].body)
		_, twice := attributes[name]
		need(!twice, "an attribute twice")
		attributes[name] = nodes(inner[1].body)
	}
	kind, told := attributes["2a864886f70d010903"], attributes["2a864886f70d010904"]
	need(len(kind) == 1 && len(told) == 1 && is(kind[0], 6, tstInfo) && told[0].tag == 4, "attributes are missing")
	h, known := hashes[algorithm(signer[2])]
	if !known {
		panic(notCheckable("digest"))
	}
	name := nodes(signer[1].body)
	need(len(name) == 2, "torn")
	scheme := algorithm(signer[4])

	var own []byte
	var others []*x509.Certificate
	var public der
	found := 0
	for _, one := range nodes(bag.body) {
		tbs := nodes(nodes(one.body)[0].body)
		if tbs[0].tag == 0xa0 {
			tbs = tbs[1:]
		}
		need(len(tbs) >= 6, "torn")
		if bytes.Equal(tbs[2].whole, name[0].whole) && bytes.Equal(tbs[0].whole, name[1].whole) {
			own, public = one.whole, tbs[5]
			found++
		} else {
			others = append(others, certificate(one.whole))
		}
	}
	need(found == 1, "the signer's certificate is due once")
	need(bytes.Equal(imprint[1].body, digest), "over something else")
	need(bytes.Equal(digestOf(h, info), told[0].body), "contents differ")
	knownKey(public)
	signing := certificate(own)
	signed := append([]byte{0x31}, signer[3].whole[1:]...)
	checkSignature(signing, scheme, h, signed, signer[5].body)
	return good, findRoot(signing, others, roots, at/1000000), at
}

func certificate(data []byte) *x509.Certificate {
	found, err := x509.ParseCertificate(data)
	need(err == nil, "not a certificate")
	return found
}

// knownKey throws notCheckable unless the key is RSA, or on P-256 or P-384.
func knownKey(public der) {
	named := nodes(nodes(public.body)[0].body)
	need(len(named) > 0, "torn")
	switch hex.EncodeToString(named[0].body) {
	case "2a864886f70d010101":
		return
	case "2a8648ce3d0201":
		if len(named) > 1 {
			if curve := hex.EncodeToString(named[1].body); curve == "2a8648ce3d030107" || curve == "2b81040022" {
				return
			}
		}
	}
	panic(notCheckable("key"))
}

func checkSignature(own *x509.Certificate, scheme string, h crypto.Hash, signed, signature []byte) {
	switch k := own.PublicKey.(type) {
	case *rsa.PublicKey:
		chosen, known := rsaSchemes[scheme]
		if !known {
			panic(notCheckable("scheme"))
		}
		if chosen == 0 {
			chosen = h
		}
		need(rsa.VerifyPKCS1v15(k, chosen, digestOf(chosen, signed), signature) == nil, "bad signature")
	case *ecdsa.PublicKey:
		chosen, known := ecdsaSchemes[scheme]
		if !known || (k.Curve != elliptic.P256() && k.Curve != elliptic.P384()) {
			panic(notCheckable("scheme"))
		}
		need(ecdsa.VerifyASN1(k, digestOf(chosen, signed), signature), "bad signature")
	default:
		panic(notCheckable("key"))
	}
}

func findRoot(own *x509.Certificate, others []*x509.Certificate, roots [][]byte, seconds int64) int {
	stamps := false
	for _, usage := range own.ExtKeyUsage {
		stamps = stamps || usage == x509.ExtKeyUsageTimeStamping
	}
	need(stamps, "it may not stamp time")
	var trusted []*x509.Certificate
	for _, root := range roots {
		certificate, err := x509.ParseCertificate(root)
		need(err == nil, "not a root")
		trusted = append(trusted, certificate)
	}
	at := time.Unix(seconds, 0)
	for step, one := 0, own; step < 3 && one != nil; step++ {
		need(!at.Before(one.NotBefore) && !at.After(one.NotAfter), "not valid then")
		for i, root := range trusted {
			if issued(one, root) {
				return i
			}
		}
		var above *x509.Certificate
		for _, other := range others {
			if above == nil && other.BasicConstraintsValid && other.IsCA && issued(one, other) {
				above = other
			}
		}
		one = above
	}
	panic(malformed("it leads to no authority that is trusted"))
}

func issued(one, by *x509.Certificate) bool {
	return bytes.Equal(one.RawIssuer, by.RawSubject) &&
		by.CheckSignature(one.SignatureAlgorithm, one.RawTBSCertificate, one.Signature) == nil
}

var timeForm = regexp.MustCompile(`^(?:19[789]|2[01][0-9])[0-9]{11}(\.[0-9]+)?Z$`)

func generalized(written string) int64 {
	need(timeForm.MatchString(written), "not an instant")
	whole, fraction, _ := strings.Cut(strings.TrimSuffix(written, "Z"), ".")
	at, err := time.Parse("20060102150405", whole)
	need(err == nil, "no such instant")
	micros := int64(0)
	for _, digit := range (fraction + "000000")[:6] {
		micros = micros*10 + int64(digit-'0')
	}
	return at.UnixMicro() + micros
}
