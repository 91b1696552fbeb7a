/* A snapshot: the memory of one worker with its connections open, written by src/bench/against-snapshot.ts. */
#ifndef VNETEM_SNAPSHOT_H
#define VNETEM_SNAPSHOT_H

#include "layout.h"

#define SNAPSHOT_MAGIC 0x766e7477u
#define SNAPSHOT_VERSION 1u
#define SNAPSHOT_HEADER_BYTES 4096u

/* The file, little-endian: this header padded to a page; the image of the worker's memory; the hot rows; a row per
 * template; the templates' frames with their 2 leading pad bytes, each padded to 64-bit words. Offsets are in cache
 * lines from the start of the image. */
struct snapshot_header {
  uint32_t magic, version, layout_words;
  uint32_t image_lines;
  uint32_t ingress, egress, frames, index, records, counters, traffic;
  uint32_t ingress_head, egress_head;
  uint32_t ring, slots, slot_words, first_word, record_count, index_entries, attachments;
  uint32_t templates, template_bytes;
  /* What both sides write into descriptors while they prove that they do the same work. */
  uint32_t now_ms;
  uint32_t layout[LAYOUT_WORDS];
};

/* A frame that is replayed: first 64-bit word in the frames, bytes, who sends it, facts of its descriptor. */
struct template {
  uint32_t start, length, attachment, facts;
};

struct snapshot {
  struct snapshot_header header;
  unsigned char *image;
  struct hot *hot;
  struct template *templates;
  uint64_t *frames;
};

/* Reads a snapshot into anonymous, page-aligned memory, as the product's is. Ends the process with a message on
 * standard error when the file cannot be used. */
void read_snapshot(struct snapshot *snapshot, const char *path);

#endif
