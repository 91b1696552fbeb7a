/* Reads a snapshot and checks that it was written with the layout that the twin was compiled for. */

#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "snapshot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static _Noreturn void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("twin: ", stderr);
  vfprintf(stderr, format, values);
  fputs("\n", stderr);
  va_end(values);
  exit(1);
}

static void *read_section(FILE *file, const char *path, size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("no memory for %zu bytes", bytes);
  if (fread(memory, 1, bytes, file) != bytes) fail("%s ends too early", path);
  return memory;
}

static void check_header(const struct snapshot_header *header, const char *path) {
  if (header->magic != SNAPSHOT_MAGIC) fail("%s is no snapshot", path);
  if (header->version != SNAPSHOT_VERSION) {
    fail("%s has version %u, expected %u", path, header->version, SNAPSHOT_VERSION);
  }
  if (header->layout_words != LAYOUT_WORDS) {
    fail("the product names %u words of layout, layout.h %zu", header->layout_words, LAYOUT_WORDS);
  }
  for (size_t i = 0; i < LAYOUT_WORDS; i++) {
    if (header->layout[i] != LAYOUT[i]) {
      fail("word %zu of the layout is %u in the product and %u in layout.h", i, header->layout[i], LAYOUT[i]);
    }
  }
  if (header->templates == 0) fail("%s has no frames to replay", path);
}

void read_snapshot(struct snapshot *snapshot, const char *path) {
  static_assert(sizeof(struct snapshot_header) <= SNAPSHOT_HEADER_BYTES, "the header fits its page");
  unsigned char page[SNAPSHOT_HEADER_BYTES];
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("cannot open %s", path);
  if (fread(page, 1, sizeof page, file) != sizeof page) fail("%s ends too early", path);
  struct snapshot_header *header = &snapshot->header;
  memcpy(header, page, sizeof *header);
  check_header(header, path);
  snapshot->image = read_section(file, path, (size_t)header->image_lines * 64);
  snapshot->hot = read_section(file, path, (size_t)header->attachments * sizeof(struct hot));
  snapshot->templates = read_section(file, path, (size_t)header->templates * sizeof(struct template));
  snapshot->frames = read_section(file, path, header->template_bytes);
  fclose(file);
}
