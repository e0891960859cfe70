/* Interleaved RTP to pictures: what assembler.py does, done faster. Same statuses, same results.
 *
 * Rules of this file: no length that came from the network is trusted; every read is
 * checked against `end` before it is made; memory grows only in `grow`; sv_feed
 * says ENDLESS past MAX_PICTURE_BYTES, so a group holds at most that beyond MAX_GROUP_BYTES
 * and the buffer that was fed; a failed allocation drops the packet and counts it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MORE, OTHER, TEXT, UNIT, GROUP, ENDLESS };
enum { MAX_GROUP_BYTES = 24 * 1024 * 1024, MAX_GROUP_SAMPLES = 1200, MAX_SET = 1024, SETS = 3,
       MAX_PICTURE_BYTES = 16 * 1024 * 1024, RESTART = 3000, LATE = 100 };

typedef struct {
    uint8_t *data;
    size_t used, room;
    uint32_t *sizes, *times;
    uint32_t count;
    int clean;
    uint64_t lost;
} group_t;

typedef struct {
    int hevc, channel, watching;
    int started, unit_key, nal_key, held, changed;
    int64_t unit_time;
    int32_t next_sequence;
    size_t unit_start;
    int64_t nal_start;
    uint64_t lost, lost_before;
    group_t now, ready;
    uint8_t set[SETS][MAX_SET];
    uint32_t set_size[SETS];
} sv_assembler;

static int reserve(group_t *g) {
    g->sizes = malloc(sizeof(uint32_t) * (MAX_GROUP_SAMPLES + 1));
    g->times = malloc(sizeof(uint32_t) * (MAX_GROUP_SAMPLES + 1));
    return g->sizes && g->times;
}

static void clear(group_t *g) {
    free(g->data);
    free(g->sizes);
    free(g->times);
    memset(g, 0, sizeof *g);
}

sv_assembler *sv_new(int hevc, int channel) {
    sv_assembler *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->hevc = hevc;
    a->channel = channel;
    a->unit_time = -1;
    a->next_sequence = -1;
    a->nal_start = -1;
    a->now.clean = 1;
    if (!reserve(&a->now)) { clear(&a->now); free(a); return NULL; }
    return a;
}

void sv_free(sv_assembler *a) {
    if (!a) return;
    clear(&a->now);
    clear(&a->ready);
    free(a);
}

static int grow(group_t *g, size_t more) {
    if (g->used + more <= g->room) return 1;
    size_t room = g->room ? g->room : 65536;
    while (room < g->used + more) room += room / 2;
    uint8_t *data = realloc(g->data, room);
    if (!data) return 0;
    g->data = data;
    g->room = room;
    return 1;
}

static void append(sv_assembler *a, const uint8_t *from, size_t size) {
    if (!grow(&a->now, size)) { a->lost++; return; }
    memcpy(a->now.data + a->now.used, from, size);
    a->now.used += size;
}

static void put_length(uint8_t *to, size_t size) {
    to[0] = size >> 24; to[1] = size >> 16; to[2] = size >> 8; to[3] = size;
}

static void abandon_nal(sv_assembler *a) {
    if (a->nal_start >= 0) {
        a->now.used = (size_t)a->nal_start;
        a->nal_start = -1;
    }
}

static int is_key(const sv_assembler *a, int kind) {
    return a->hevc ? kind >= 16 && kind <= 21 : kind == 5;
}

static int set_index(const sv_assembler *a, int kind) {
    if (a->hevc) return kind >= 32 && kind <= 34 ? kind - 32 : -1;
    return kind == 7 || kind == 8 ? kind - 7 : -1;
}

static void whole_nal(sv_assembler *a, int kind, const uint8_t *nal, size_t size) {
    int set = set_index(a, kind);
    if (set >= 0) {
        if (size > MAX_SET) { a->lost++; return; }
        if (a->set_size[set] != size || memcmp(a->set[set], nal, size)) {
            memcpy(a->set[set], nal, size);
            a->set_size[set] = (uint32_t)size;
            a->changed = 1;
        }
        return;
    }
    if (is_key(a, kind)) a->unit_key = 1;
    abandon_nal(a);
    uint8_t length[4];
    put_length(length, size);
    append(a, length, 4);
    append(a, nal, size);
}

static void begin_nal(sv_assembler *a, int kind, const uint8_t *header, size_t size) {
    static const uint8_t blank[4];
    abandon_nal(a);
    a->nal_key = is_key(a, kind);
    a->nal_start = (int64_t)a->now.used;
    append(a, blank, 4);
    append(a, header, size);
}

static void end_nal(sv_assembler *a) {
    size_t start = (size_t)a->nal_start;
    if (a->now.used >= start + 4) put_length(a->now.data + start, a->now.used - start - 4);
    a->nal_start = -1;
    a->unit_key |= a->nal_key;
}

static void aggregate(sv_assembler *a, const uint8_t *at, const uint8_t *stop) {
    while (stop - at > 2) {
        size_t size = (size_t)at[0] << 8 | at[1];
        if (size == 0 || size > (size_t)(stop - at - 2)) { a->lost++; return; }
        int kind = a->hevc ? at[2] >> 1 & 63 : at[2] & 31;
        whole_nal(a, kind, at + 2, size);
        at += 2 + size;
    }
}

static void fragment(sv_assembler *a, int header, int kind, const uint8_t *nal_header, size_t header_size,
                     const uint8_t *body, const uint8_t *stop) {
    if (header & 0x80) begin_nal(a, kind, nal_header, header_size);
    else if (a->nal_start < 0) return;
    append(a, body, (size_t)(stop - body));
    if (header & 0x40) end_nal(a);
}

static void payload_h264(sv_assembler *a, const uint8_t *at, const uint8_t *stop) {
    int kind = at[0] & 31;
    if (kind == 28) {
        if (stop - at < 2) return;
        uint8_t header = (uint8_t)((at[0] & 0xE0) | (at[1] & 31));
        fragment(a, at[1], at[1] & 31, &header, 1, at + 2, stop);
    } else if (kind >= 1 && kind <= 23) whole_nal(a, kind, at, (size_t)(stop - at));
    else if (kind == 24) aggregate(a, at + 1, stop);
}

static void payload_h265(sv_assembler *a, const uint8_t *at, const uint8_t *stop) {
    if (stop - at < 3) return;
    int kind = at[0] >> 1 & 63;
    if (kind == 49) {
        uint8_t header[2] = {(uint8_t)((at[0] & 0x81) | (at[2] & 63) << 1), at[1]};
        fragment(a, at[2], at[2] & 63, header, 2, at + 3, stop);
    } else if (kind == 48) aggregate(a, at + 2, stop);
    else if (kind < 48) whole_nal(a, kind, at, (size_t)(stop - at));
}

static int close_group(sv_assembler *a, size_t tail) {
    group_t next = {0};
    next.clean = a->unit_key;
    if (!reserve(&next)) { clear(&next); return 0; }
    /* As much as the last group took, so that it need not move while it grows. */
    size_t likely = a->unit_start + a->unit_start / 8;
    if (!grow(&next, tail > likely ? tail : likely)) { clear(&next); return 0; }
    if (tail) {
        memcpy(next.data, a->now.data + a->unit_start, tail);
        next.used = tail;
    }
    a->now.used = a->unit_start;
    a->now.lost = a->lost - a->lost_before;
    a->lost_before = a->lost;
    clear(&a->ready);
    a->ready = a->now;
    a->now = next;
    a->unit_start = 0;
    return 1;
}

static int end_unit(sv_assembler *a) {
    abandon_nal(a);
    size_t size = a->now.used - a->unit_start;
    if (size == 0) return MORE;
    int status = a->watching ? UNIT : MORE;
    int full = a->now.used > MAX_GROUP_BYTES || a->now.count >= MAX_GROUP_SAMPLES;
    if (a->now.count && (a->unit_key || full)) {
        if (!close_group(a, size)) { a->now.used = a->unit_start; a->lost++; return MORE; }
        status = GROUP;
    }
    if (!a->now.count) {
        if (!a->unit_key && !a->started && !full) {
            a->now.used = 0;
            a->unit_start = 0;
            return MORE;
        }
        a->started = 1;
    }
    a->now.sizes[a->now.count] = (uint32_t)size;
    a->now.times[a->now.count] = (uint32_t)a->unit_time;
    a->now.count++;
    a->unit_start = a->now.used;
    a->unit_key = 0;
    return status;
}

static int packet(sv_assembler *a, const uint8_t *at, const uint8_t *stop) {
    if (stop - at < 12) { a->lost++; return MORE; }
    int first = at[0], marker = at[1] & 0x80;
    int32_t sequence = at[2] << 8 | at[3];
    int64_t time = (int64_t)((uint32_t)at[4] << 24 | (uint32_t)at[5] << 16 | (uint32_t)at[6] << 8 | at[7]);
    if (sequence != a->next_sequence) {
        if (a->next_sequence >= 0) {
            int ahead = (sequence - a->next_sequence) & 0xFFFF;
            if (ahead >= 0x10000 - LATE) return MORE;
            a->lost += ahead < RESTART ? (uint64_t)ahead : 1;
            abandon_nal(a);
        }
        a->next_sequence = sequence;
    }
    if (time != a->unit_time && a->unit_start < a->now.used) {
        int status = end_unit(a);
        if (status) { a->held = 1; return status; }
    }
    a->held = 0;
    a->next_sequence = (sequence + 1) & 0xFFFF;
    at += 12;
    if (first & 0x3F) {
        size_t left = (size_t)(stop - at), skip = 4u * (first & 15u);
        if (first & 0x10 && left >= skip + 4) skip += 4 + 4u * ((size_t)at[skip + 2] << 8 | at[skip + 3]);
        if (skip > left) skip = left;
        at += skip;
        left -= skip;
        if (first & 0x20 && left > 0) stop -= stop[-1] < left ? stop[-1] : left;
    }
    a->unit_time = time;
    if (at < stop) {
        if (a->hevc) payload_h265(a, at, stop);
        else payload_h264(a, at, stop);
    }
    return marker && a->unit_start < a->now.used ? end_unit(a) : MORE;
}

int sv_feed(sv_assembler *a, const uint8_t *buffer, size_t *position, size_t end) {
    size_t at = *position;
    int status = MORE;
    while (end - at >= 4) {
        if (buffer[at] != 0x24) { status = TEXT; break; }
        size_t stop = at + 4 + ((size_t)buffer[at + 2] << 8 | buffer[at + 3]);
        if (stop > end) break;
        if (buffer[at + 1] != a->channel) { status = OTHER; break; }
        status = packet(a, buffer + at + 4, buffer + stop);
        if (!status || !a->held) at = stop;
        if (status) break;
    }
    if (status == MORE && a->now.used - a->unit_start > MAX_PICTURE_BYTES) status = ENDLESS;
    *position = at;
    return status;
}

/* Ends the stream: what is whole becomes the ready group. Returns 1 where there is one. */
int sv_cut(sv_assembler *a) {
    a->nal_start = -1;
    a->now.used = a->unit_start;
    return a->now.count && close_group(a, 0);
}

/* Moves the ready group to `out`. The caller frees the tables at once and the data when nobody looks at it. */
int sv_take(sv_assembler *a, group_t *out) {
    *out = a->ready;
    memset(&a->ready, 0, sizeof a->ready);
    return out->count > 0;
}

void sv_drop_tables(group_t *g) {
    free(g->sizes);
    free(g->times);
    g->sizes = g->times = NULL;
}

void sv_drop_data(uint8_t *data) { free(data); }
