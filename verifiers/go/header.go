package main

import (
	"bytes"
	"encoding/binary"
)

const (
	videoClock  = 90000
	latestTick  = 1 << 42
	highestRate = 1 << 18
)

type box struct {
	name string
	body []byte
}

func u32(data []byte, at int) int64 {
	need(at >= 0 && at+4 <= len(data), "a box is torn")
	return int64(binary.BigEndian.Uint32(data[at:]))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func max(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

func boxes(data []byte, strict bool) []box {
	var found []box
	for at := int64(0); at+8 <= int64(len(data)); {
		length := u32(data, int(at))
		if length < 8 {
			need(!strict, "a box is too short")
			break
		}
		end := at + length
		if end > int64(len(data)) {
			end = int64(len(data))
		}
		found = append(found, box{string(data[at+4 : at+8]), data[at+8 : end]})
		at += length
	}
	return found
}

func lastBox(found []box, name string) []byte {
	for i := len(found) - 1; i >= 0; i-- {
		if found[i].name == name {
			return found[i].body
		}
	}
	panic(malformed("no " + name))
}

func inside(data []byte, names ...string) []byte {
	for _, name := range names {
		data = lastBox(boxes(data, true), name)
	}
	return data
}

type initInfo struct {
	video, audio  []byte
	width, height int64
	rate          int64
}

func sampleEntry(trak []byte) []byte {
	stsd := inside(trak, "mdia", "minf", "stbl", "stsd")
	length := u32(stsd, 8)
	need(length >= 36 && 8+length <= int64(len(stsd)), "a sample entry is torn")
	return stsd[8 : 8+length]
}

func parseInit(init []byte) *initInfo {
	traks := map[int64][]byte{}
	for _, one := range boxes(inside(init, "moov"), true) {
		if one.name == "trak" {
			traks[u32(inside(one.body, "tkhd"), 20)] = one.body
		}
	}
	need(traks[1] != nil, "no picture")
	found := &initInfo{video: sampleEntry(traks[1])}
	size := u32(found.video, 32)
	found.width, found.height = size>>16, size&0xffff
	if traks[2] != nil {
		found.audio = sampleEntry(traks[2])
		found.rate = u32(inside(traks[2], "mdia", "mdhd"), 20)
	}
	return found
}

type run struct {
	sizes, durations, shifts []int64
	shifted, sync            bool
}

func parseRun(trun []byte) *run {
	flags, total, at := u32(trun, 0), u32(trun, 4), int64(12)
	found := &run{sync: true}
	if flags&4 != 0 {
		found.sync = u32(trun, 12)&0x10000 == 0
		at = 16
	}
	width := int64(2)
	if flags&0x800 != 0 {
		width, found.shifted = 3, true
	}
	need(at+4*width*total <= int64(len(trun)), "a table is torn")
	for i := int64(0); i < total; i++ {
		found.durations = append(found.durations, u32(trun, int(at)))
		found.sizes = append(found.sizes, u32(trun, int(at+4)))
		if found.shifted {
			found.shifts = append(found.shifts, int64(int32(u32(trun, int(at+8)))))
		} else {
			found.shifts = append(found.shifts, 0)
		}
		at += 4 * width
	}
	return found
}

func sum(values []int64) (total int64) {
	for _, one := range values {
		total += one
	}
	return
}

func (r *run) lead() int64 {
	if !r.shifted {
		return 0
	}
	need(len(r.shifts) > 0, "no samples")
	at, least := int64(0), int64(1)<<62
	for i, shift := range r.shifts {
		if at+shift < least {
			least = at + shift
		}
		at += r.durations[i]
	}
	return max(0, least)
}

type head struct {
	base, soundBase int64
	video, audio    *run
}

func parseHead(data []byte, size int64) head {
	n := len(data)
	need(n >= 48 && u32(data, 0) == 32 && string(data[4:8]) == "prft" &&
		u32(data, 32) == int64(n-40) && string(data[36:40]) == "moof" &&
		u32(data, n-8) == 8+size && string(data[n-4:]) == "mdat", "a head is damaged")
	var moof []byte
	for _, one := range boxes(data, false) {
		if one.name == "moof" {
			moof = one.body
			break
		}
	}
	need(moof != nil, "no moof")
	runs, bases := map[int64]*run{}, map[int64]int64{}
	for _, one := range boxes(moof, false) {
		if one.name == "mfhd" {
			u32(one.body, 4)
		}
		if one.name != "traf" {
			continue
		}
		inner := boxes(one.body, false)
		track := u32(lastBox(inner, "tfhd"), 4)
		tfdt := lastBox(inner, "tfdt")
		high := u32(tfdt, 4)
		bases[track] = int64(latestTick)
		if low := u32(tfdt, 8); high < latestTick>>32 {
			bases[track] = high<<32 | low
		}
		runs[track] = parseRun(lastBox(inner, "trun"))
	}
	need(runs[1] != nil, "no picture")
	found := head{bases[1], bases[2], runs[1], runs[2]}
	total := sum(found.video.sizes)
	if found.audio != nil {
		total += sum(found.audio.sizes)
	}
	need(total == size, "sizes do not fit")
	for _, one := range []*run{found.video, found.audio} {
		need(one == nil || (sum(one.durations) < latestTick && (!one.shifted || len(one.sizes) > 0)), "a run is too long or empty")
	}
	need(found.base < latestTick && found.soundBase < latestTick, "too late")
	return found
}

func headInstant(data []byte) int64 {
	return u32(data, 16)*1000000 + (u32(data, 20)*1000000+1<<31)>>32 - 2208988800*1000000
}

type pair struct{ count, value int64 }

func tally(pairs []pair, value int64) []pair {
	if n := len(pairs); n > 0 && pairs[n-1].value == value {
		pairs[n-1].count++
		return pairs
	}
	return append(pairs, pair{1, value})
}

type track struct {
	scale, start, clock, lead, delay int64
	sizes, syncs, chunks             []int64
	times, shifts                    []pair
	shifted                          bool
	rows                             [][3]int64
	entries                          [][]byte
}

func (t *track) add(r *run, at, offset int64, description []byte, begins bool) {
	if len(t.sizes) == 0 {
		t.start, t.clock, t.lead = at, at, r.lead()
	}
	if begins {
		t.delay = t.lead - r.lead()
	}
	if len(t.sizes) > 0 {
		need(len(t.times) > 0, "no times")
		last := &t.times[len(t.times)-1]
		wanted := max(1, last.value+at-t.clock)
		if change := wanted - last.value; change != 0 {
			last.count--
			if last.count == 0 {
				t.times = t.times[:len(t.times)-1]
			}
			t.times = tally(t.times, wanted)
			t.clock += change
		}
	}
	if r.sync {
		t.syncs = append(t.syncs, int64(len(t.sizes)+1))
	}
	t.sizes = append(t.sizes, r.sizes...)
	for i := range r.durations {
		t.times = tally(t.times, r.durations[i])
		t.shifts = tally(t.shifts, r.shifts[i]+t.delay)
	}
	t.shifted = t.shifted || r.shifted || t.delay != 0
	t.clock += sum(r.durations)
	need(t.clock < latestTick, "too late")
	t.chunks = append(t.chunks, offset)
	number := t.describe(description)
	samples := int64(len(r.sizes))
	if n := len(t.rows); n == 0 || t.rows[n-1][1] != samples || t.rows[n-1][2] != number {
		t.rows = append(t.rows, [3]int64{int64(len(t.chunks)), samples, number})
	}
}

func (t *track) describe(description []byte) int64 {
	for i, one := range t.entries {
		if bytes.Equal(one, description) {
			return int64(i + 1)
		}
	}
	need(len(t.entries) == 0 || bytes.Equal(t.entries[0][4:8], description[4:8]), "the codec changes")
	t.entries = append(t.entries, description)
	return int64(len(t.entries))
}

func w16(values ...int64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	return out
}

func w32(values ...int64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(v))
	}
	return out
}

func w64(values ...int64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint64(out, uint64(v))
	}
	return out
}

func zeros(n int) []byte { return make([]byte, n) }

func mk(name string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(w32(int64(8+len(body))), name...), body...)
}

func full(name string, version, flags int64, parts ...[]byte) []byte {
	return mk(name, append([][]byte{w32(version<<24 | flags)}, parts...)...)
}

func pairs(found []pair, least, most int64) []byte {
	out := w32(int64(len(found)))
	for _, one := range found {
		need(one.value >= least && one.value <= most, "a number has no room")
		out = append(out, w32(one.count, one.value)...)
	}
	return out
}

func (t *track) table(base int64, wide bool) []byte {
	parts := [][]byte{full("stsd", 0, 0, w32(int64(len(t.entries))), bytes.Join(t.entries, nil)), full("stts", 0, 0, pairs(t.times, 0, 1<<32-1))}
	if t.shifted {
		parts = append(parts, full("ctts", 1, 0, pairs(t.shifts, -1<<31, 1<<31-1)))
	}
	rows := w32(int64(len(t.rows)))
	for _, row := range t.rows {
		rows = append(rows, w32(row[0], row[1], row[2])...)
	}
	places := w32(int64(len(t.chunks)))
	name := "stco"
	if wide {
		name = "co64"
	}
	for _, one := range t.chunks {
		if wide {
			places = append(places, w64(one+base)...)
		} else {
			places = append(places, w32(one+base)...)
		}
	}
	parts = append(parts, full("stsc", 0, 0, rows), full("stsz", 0, 0, w32(0, int64(len(t.sizes))), w32(t.sizes...)), full(name, 0, 0, places))
	if len(t.syncs) < len(t.sizes) {
		parts = append(parts, full("stss", 0, 0, w32(int64(len(t.syncs))), w32(t.syncs...)))
	}
	return mk("stbl", parts...)
}

var matrix = w32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

func tkhd(id, shown, volume, width, height int64) []byte {
	return full("tkhd", 1, 3, zeros(16), w32(id, 0), w64(shown), zeros(8), w16(0, 0, volume, 0), matrix, w32(width<<16, height<<16))
}

func (t *track) mdia(base int64, wide, video bool) []byte {
	name, media := "soun", full("smhd", 0, 0, zeros(4))
	if video {
		name, media = "vide", full("vmhd", 0, 1, zeros(8))
	}
	dinf := mk("dinf", full("dref", 0, 0, w32(1), full("url ", 0, 1)))
	return mk("mdia",
		full("mdhd", 1, 0, zeros(16), w32(t.scale), w64(t.clock-t.start), w16(0x55c4, 0)),
		full("hdlr", 0, 0, w32(0), []byte(name), zeros(12), []byte("svidok\x00")),
		mk("minf", media, dinf, t.table(base, wide)))
}

func edits(rows ...[2]int64) []byte {
	body := w32(int64(len(rows)))
	for _, row := range rows {
		body = append(append(body, w64(row[0], row[1])...), w32(0x10000)...)
	}
	return mk("edts", full("elst", 1, 0, body))
}

type arrangement struct {
	video       track
	audio       *track
	first, init *initInfo
	fresh       bool
	shift       int64
	media       int64
	begun       bool
	begin, end  int64
}

func (a *arrangement) segment(init []byte) {
	a.video.scale = videoClock
	a.init = parseInit(init)
	if a.first == nil {
		a.first = a.init
	}
	a.fresh = true
}

func (a *arrangement) add(data []byte, size int64) (int64, int64) {
	h := parseHead(data, size)
	begins := a.fresh
	if a.fresh {
		a.shift, a.fresh = a.video.clock-h.base, false
	}
	a.video.add(h.video, a.shift+h.base, a.media, a.init.video, begins)
	if h.audio != nil && a.init.audio != nil {
		if a.audio == nil {
			a.audio = &track{scale: a.init.rate}
		}
		need(a.audio.scale == a.init.rate && a.init.rate > 0 && a.init.rate <= highestRate, "the sound changes")
		at := floorDiv(a.shift*a.init.rate, videoClock) + h.soundBase
		a.audio.add(h.audio, at, a.media+sum(h.video.sizes), a.init.audio, false)
	}
	a.media += size
	start := headInstant(data)
	if !a.begun {
		a.begin, a.begun = start, true
	}
	a.end = start + sum(h.video.durations)*100/9
	return start, a.end
}

func (a *arrangement) header(from, to int64) []byte {
	need(a.first != nil && a.begun, "no footage")
	skip, drop := max(0, from-a.begin)*9/100, max(0, a.end-to)*9/100
	wide := a.media > 1<<32-1<<28
	ftyp := mk("ftyp", []byte("isom"), w32(512), []byte("isomiso2mp41"))
	mdat := append(append(w32(1), "mdat"...), w64(16+a.media)...)
	base := int64(len(ftyp) + len(a.moov(0, wide, skip, drop)) + len(mdat))
	return bytes.Join([][]byte{ftyp, a.moov(base, wide, skip, drop), mdat}, nil)
}

func (a *arrangement) moov(base int64, wide bool, skip, drop int64) []byte {
	shown := max(1, a.video.clock-skip-drop)
	parts := [][]byte{
		full("mvhd", 1, 0, zeros(16), w32(videoClock), w64(shown), w32(0x10000), w16(0x100), zeros(10), matrix, zeros(24), w32(3)),
		mk("trak", tkhd(1, shown, 0, a.first.width, a.first.height), edits([2]int64{shown, a.video.lead + skip}), a.video.mdia(base, wide, true)),
	}
	if t := a.audio; t != nil {
		late := floorDiv(t.start*videoClock, t.scale) - skip
		edit := edits([2]int64{shown, floorDiv(-late*t.scale, videoClock)})
		if late > 0 {
			edit = edits([2]int64{late, -1}, [2]int64{max(1, shown-late), 0})
		}
		parts = append(parts, mk("trak", tkhd(2, shown, 0x100, 0, 0), edit, t.mdia(base, wide, false)))
	}
	return mk("moov", parts...)
}
