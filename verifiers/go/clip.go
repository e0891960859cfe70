package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"sort"
)

const (
	unbroken = 1000000
	seam     = 50000
)

type fragment struct {
	head       []byte
	leaf, size int64
	path       [][]byte
}

type segment struct {
	seal                 any
	init, root           []byte
	initPath             [][]byte
	fragments            []fragment
	times                [][2]int64
	leaves, begins, ends int64
}

func readSegment(told any) *segment {
	one := fields(told, "seal", "init", "init_path", "fragments")
	found := &segment{seal: one["seal"], init: unbase64(text(one["init"])), initPath: path(one["init_path"])}
	fields(one["seal"], "leaf", "payload", "salt", "index", "inclusion")
	need(len(list(one["fragments"])) > 0, "a segment holds no fragment")
	for _, inner := range list(one["fragments"]) {
		each := fields(inner, "head", "leaf", "size", "path")
		found.fragments = append(found.fragments, fragment{
			unbase64(text(each["head"])), count(each["leaf"]), count(each["size"]), path(each["path"])})
		need(count(each["size"]) < 1<<32, "a fragment is too large")
	}
	return found
}

// checkClip tells add what is wrong with the clip.
func checkClip(file io.ReadSeeker, size int64, clip, told object, n note, add func(code, where string)) {
	for _, pair := range [][2]string{{"clip", "path"}, {"channel", "channel"}, {"from", "from"}, {"to", "to"}} {
		need(text(told[pair[0]]) == text(clip[pair[1]]), "the proof is of another range")
	}
	from, to, channel := instant(told["from"]), instant(told["to"]), id(told["channel"])
	var segments []*segment
	for _, one := range list(told["segments"]) {
		segments = append(segments, readSegment(one))
	}
	for _, one := range list(told["gaps"]) {
		fields(one, "leaf", "payload", "salt", "index", "inclusion")
	}
	need(to > from && len(segments) > 0, "the proof is of no range")
	checkSeals(segments, channel, n, add)
	header := arrange(segments, from, to, add)
	compare(file, size, segments, header, add)
	if header != nil {
		checkTimes(segments, from, to, add)
		checkHoles(segments, list(told["gaps"]), channel, from, to, n, add)
	}
}

func checkSeals(segments []*segment, channel string, n note, add func(code, where string)) {
	ids, indices := map[string]bool{}, map[int64]bool{}
	for i, one := range segments {
		where := fmt.Sprintf("segment %d", i+1)
		opened := openEntry(one.seal, n)
		own := id(opened.payload["segment"])
		one.leaves = number(opened.payload["leaves"])
		need(one.leaves > 0 && one.leaves < 1<<32, "no leaves")
		one.root = hash(opened.payload["root"])
		one.begins, one.ends = instant(opened.payload["start"]), instant(opened.payload["end"])
		if !opened.good || opened.kind != "segment.sealed" || opened.subject != own || opened.payload["channel"] != any(channel) {
			add("not-in-log", where)
		}
		if ids[own] || indices[opened.index] {
			add("order-changed", where)
		}
		ids[own], indices[opened.index] = true, true
		count := len(one.fragments)
		whole := count > 0
		for k, f := range one.fragments {
			whole = whole && f.leaf == one.fragments[0].leaf+int64(k)
		}
		if whole {
			first, last := one.fragments[0].leaf, one.fragments[count-1].leaf
			whole = first >= 1 && (i == 0 || first == 1) && (i == len(segments)-1 || last == one.leaves-1)
		}
		if !whole {
			add("fragment-missing", where)
		}
	}
}

func arrange(segments []*segment, from, to int64, add func(code, where string)) (header []byte) {
	defer func() {
		if caught := recover(); caught != nil {
			if _, ours := caught.(malformed); !ours {
				panic(caught)
			}
			add("header-changed", "header")
			header = nil
		}
	}()
	a := &arrangement{}
	for _, one := range segments {
		a.segment(one.init)
		for _, f := range one.fragments {
			start, end := a.add(f.head, f.size)
			one.times = append(one.times, [2]int64{start, end})
		}
	}
	return a.header(from, to)
}

func compare(file io.ReadSeeker, size int64, segments []*segment, header []byte, add func(code, where string)) {
	media := int64(0)
	for _, one := range segments {
		for _, f := range one.fragments {
			media += f.size
		}
	}
	at := int64(len(header))
	if header == nil {
		at = max(0, size-media)
	} else {
		have := make([]byte, len(header))
		n, _ := io.ReadFull(file, have)
		if !bytes.Equal(have[:n], header) {
			add("header-changed", "header")
		}
	}
	if size < at+media {
		add("bytes-missing", "file")
	} else if size > at+media {
		add("extra-bytes", "file")
	}
	file.Seek(at, io.SeekStart)
	for i, one := range segments {
		if !included(sha([]byte{0}, one.init), 0, one.leaves, one.initPath, one.root) {
			add("header-changed", fmt.Sprintf("segment %d", i+1))
		}
		for k, f := range one.fragments {
			h := sha256.New()
			h.Write([]byte{0})
			h.Write(f.head)
			io.CopyN(h, file, f.size)
			if !included(h.Sum(nil), f.leaf, one.leaves, f.path, one.root) {
				where := fmt.Sprintf("segment %d, fragment %d", i+1, f.leaf)
				if k < len(one.times) {
					where += fmt.Sprintf(", %d to %d µs", one.times[k][0], one.times[k][1])
				}
				add("fragment-changed", where)
			}
		}
	}
}

func checkTimes(segments []*segment, from, to int64, add func(code, where string)) {
	for i, one := range segments {
		where := fmt.Sprintf("segment %d", i+1)
		first, last := one.times[0], one.times[len(one.times)-1]
		if first[0] < one.begins || last[0] > one.ends {
			add("time-inconsistent", where)
		}
		if first[0] >= to || last[0] >= to || first[1] <= from {
			add("time-inconsistent", where)
		}
		if i == 0 {
			continue
		}
		if before := segments[i-1]; one.begins < before.begins {
			add("order-changed", where)
		} else if one.begins < before.ends {
			add("times-overlap", where)
		}
	}
}

func checkHoles(segments []*segment, gaps []any, channel string, from, to int64, n note, add func(code, where string)) {
	type span struct{ start, end, most int64 }
	first, last := segments[0], segments[len(segments)-1]
	tolerance := func(cut bool) int64 {
		if cut {
			return seam
		}
		return unbroken
	}
	holes := []span{{from, first.times[0][0], tolerance(first.fragments[0].leaf > 1)}}
	for i := 1; i < len(segments); i++ {
		holes = append(holes, span{segments[i-1].ends, segments[i].begins, unbroken})
	}
	holes = append(holes, span{last.times[len(last.times)-1][1], to, tolerance(last.fragments[len(last.fragments)-1].leaf < last.leaves-1)})
	var known []span
	for _, told := range gaps {
		gap := openEntry(told, n)
		if !gap.good || (gap.kind != "gap.closed" && gap.kind != "gap.opened") {
			add("not-in-log", "gap")
		} else if gap.kind == "gap.closed" && gap.payload["channel"] == any(channel) {
			found := span{instant(gap.payload["start"]), instant(gap.payload["end"]), 0}
			if gap.payload["reason"] != any("unknown") {
				known = append(known, found)
			}
		}
	}
	sort.Slice(known, func(a, b int) bool {
		return known[a].start < known[b].start || (known[a].start == known[b].start && known[a].end < known[b].end)
	})
	var islands []span
	for _, one := range known {
		if k := len(islands); k > 0 && one.start-islands[k-1].end <= unbroken {
			islands[k-1].end = max(islands[k-1].end, one.end)
		} else {
			islands = append(islands, one)
		}
	}
	for _, hole := range holes {
		if hole.end-hole.start <= hole.most {
			continue
		}
		explained := false
		for _, island := range islands {
			if island.start <= hole.start+hole.most {
				explained = hole.end-island.end <= hole.most
			}
		}
		if !explained {
			add("gap-unexplained", "range")
		}
	}
}
