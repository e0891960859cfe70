"""Build the optional C depacketiser beside this file: `python -m svidok.media.build_depacketiser`.

It needs a C compiler and the Python headers. Without them nothing is lost but
speed: `svidok.media.depacketise` falls back to plain Python.
"""

from pathlib import Path

from cffi import FFI

HERE = Path(__file__).parent

DECLARATIONS = """
typedef struct { uint8_t *data; size_t used, room; uint32_t *sizes, *times; uint32_t count; int clean;
                 uint64_t lost; } group_t;
typedef struct { int hevc, channel, watching; int started, unit_key, nal_key, held, changed; int64_t unit_time;
                 int32_t next_sequence; size_t unit_start; int64_t nal_start; uint64_t lost, lost_before;
                 group_t now, ready; uint8_t set[3][1024]; uint32_t set_size[3]; } sv_assembler;
sv_assembler *sv_new(int hevc, int channel);
void sv_free(sv_assembler *a);
int sv_feed(sv_assembler *a, const uint8_t *buffer, size_t *position, size_t end);
int sv_cut(sv_assembler *a);
int sv_take(sv_assembler *a, group_t *out);
void sv_drop_tables(group_t *g);
void sv_drop_data(uint8_t *data);
"""


def build() -> str:
    """Compile the extension in place; the path of what was built."""
    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    ffi.set_source(
        "svidok.media._depacketise_c",
        (HERE / "_depacketise.c").read_text("utf-8"),
        extra_compile_args=["-O2", "-Wall", "-Wextra", "-fstack-protector-strong"],
    )
    return str(ffi.compile(tmpdir=str(HERE.parents[1]), verbose=False))


if __name__ == "__main__":
    build()
    for rest in HERE.glob("_depacketise_c.[co]"):
        rest.unlink()
