/* The twin: the product's hit path in C, over a snapshot of the product's memory, with the same traffic. It first proves
 * that it does the same work (a hash over the outcomes of 2,048 packets and over the state they leave), then measures
 * windows of 2,048 packets: generator, processing and sink apart. Prints one JSON line.
 *
 *   twin SNAPSHOT [--packets N] [--smoke]
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hit-path.h"
#include "snapshot.h"

#define WINDOW 2048
#define PACKETS_DEFAULT 6000000
#define PACKETS_SMOKE (4 * WINDOW)

struct lane {
  struct snapshot snapshot;
  struct forwarder forwarder;
  struct ingress *ingress;
  /* Descriptors written and forwarded so far, and the template that is next. Ingress and egress advance together. */
  uint32_t ingress_head, egress_head, next;
  /* What the sink read: nobody asks for it, but it must be read. */
  volatile uint32_t kept;
};

struct windows {
  double *generator, *processing, *sink;
  size_t count;
};

static void open_lane(struct lane *lane, const char *path) {
  struct snapshot *snapshot = &lane->snapshot;
  read_snapshot(snapshot, path);
  const struct snapshot_header *header = &snapshot->header;
  unsigned char *image = snapshot->image;
  lane->ingress = (struct ingress *)(image + (size_t)header->ingress * 64);
  lane->ingress_head = header->ingress_head;
  lane->egress_head = header->egress_head;
  lane->next = 0;
  lane->forwarder = (struct forwarder){
      .ingress = lane->ingress,
      .egress = (struct egress *)(image + (size_t)header->egress * 64),
      .frames = (uint32_t *)(image + (size_t)header->frames * 64),
      .index = (uint32_t *)(image + (size_t)header->index * 64),
      .records = (struct record *)(image + (size_t)header->records * 64),
      .hot = snapshot->hot,
      .counters = (double *)(image + (size_t)header->counters * 64),
      .traffic = (struct traffic *)(image + (size_t)header->traffic * 64),
      .ring_mask = header->ring - 1,
      .index_mask = header->index_entries - 1,
      .slot_words = header->slot_words,
      .first_word = header->first_word,
  };
}

/* Copies the next frames into their slots and writes their descriptors. */
static void generate(struct lane *lane, uint32_t count, uint32_t now_ms) {
  const struct snapshot *snapshot = &lane->snapshot;
  const struct forwarder *f = &lane->forwarder;
  const uint32_t slot_mask = snapshot->header.slots - 1;
  uint32_t next = lane->next;
  for (uint32_t i = 0; i < count; i++) {
    const struct template *template = &snapshot->templates[next];
    const uint32_t head = lane->ingress_head + i;
    const uint32_t slot = head & slot_mask;
    uint64_t *to = (uint64_t *)(f->frames + (size_t)slot * f->slot_words + f->first_word);
    const uint64_t *from = snapshot->frames + template->start;
    const uint32_t moves = (template->length + 9) >> 3;
    memcpy(to, from, 64);
    for (uint32_t m = 8; m < moves; m++) to[m] = from[m];
    struct ingress *d = &lane->ingress[head & f->ring_mask];
    d->slot = slot;
    d->length = template->length;
    d->attachment = template->attachment;
    d->packet = next;
    d->now_ms = now_ms;
    d->facts = template->facts;
    next = next + 1 == snapshot->header.templates ? 0 : next + 1;
  }
  lane->next = next;
}

static void turn(struct lane *lane, uint32_t count) {
  forward(&lane->forwarder, count, lane->ingress_head, lane->egress_head);
}

/* Reads what the turn left: every descriptor, and the words of the frame that a receiver looks at first. */
static void sink(struct lane *lane, uint32_t count) {
  const struct forwarder *f = &lane->forwarder;
  uint32_t touched = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct egress *o = &f->egress[(lane->egress_head + i) & f->ring_mask];
    const uint32_t *p = f->frames + (size_t)o->slot * f->slot_words + f->first_word;
    touched ^= o->attachment ^ o->length ^ p[0] ^ p[8] ^ p[9] ^ o->verdict;
  }
  lane->kept = touched;
  lane->ingress_head += count;
  lane->egress_head += count;
}

/* FNV-1a over 32-bit words, as OutcomeHash in src/bench/figures.ts. */
static uint32_t hash_words(uint32_t hash, const void *memory, size_t words) {
  const uint32_t *word = memory;
  for (size_t i = 0; i < words; i++) {
    hash = (hash ^ (word[i] & 0xffff)) * 0x01000193u;
    hash = (hash ^ (word[i] >> 16)) * 0x01000193u;
  }
  return hash;
}

/* Forwards the first 2,048 packets and hashes all that they change: descriptors and frames, then records, traffic
 * counters and totals. */
static uint32_t prove(struct lane *lane) {
  const struct snapshot_header *header = &lane->snapshot.header;
  const struct forwarder *f = &lane->forwarder;
  uint32_t hash = 0x811c9dc5u;
  for (uint32_t sent = 0; sent < WINDOW; sent += MAX_BATCH) {
    generate(lane, MAX_BATCH, header->now_ms);
    turn(lane, MAX_BATCH);
    for (uint32_t i = 0; i < MAX_BATCH; i++) {
      const struct egress *o = &f->egress[(lane->egress_head + i) & f->ring_mask];
      const uint32_t *p = f->frames + (size_t)o->slot * f->slot_words + f->first_word;
      const uint32_t words[] = {o->length, o->attachment, o->packet, o->verdict, o->path, o->ingress};
      hash = hash_words(hash, words, sizeof words / 4);
      hash = hash_words(hash, p, (o->length + 2) >> 2);
    }
    sink(lane, MAX_BATCH);
  }
  hash = hash_words(hash, f->records, (size_t)header->record_count * (sizeof(struct record) / 4));
  hash = hash_words(hash, f->traffic, (size_t)header->attachments * (sizeof(struct traffic) / 4));
  const int totals[] = {COUNT_RECEIVED, COUNT_DUPLICATED, COUNT_DELIVERED,
                        COUNT_EXITED,   COUNT_FLOW_HITS,  COUNT_SLOW_PASSES};
  for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) hash = hash_words(hash, &f->counters[totals[i]], 2);
  return hash;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds that a clock read adds to what is between two of them: the median of many. */
static double clock_cost(void) {
  double costs[1001];
  for (size_t i = 0; i < 1001; i++) {
    const double before = nanoseconds();
    costs[i] = nanoseconds() - before;
  }
  qsort(costs, 1001, sizeof *costs, compare);
  return costs[500];
}

static void measure(struct lane *lane, struct windows *windows, size_t count) {
  const uint32_t now_ms = lane->snapshot.header.now_ms;
  const double cost = clock_cost();
  windows->count = count;
  for (size_t w = 0; w < count; w++) {
    double generator = 0, processing = 0, sinking = 0;
    for (uint32_t sent = 0; sent < WINDOW; sent += MAX_BATCH) {
      const double start = nanoseconds();
      generate(lane, MAX_BATCH, now_ms);
      const double generated = nanoseconds();
      turn(lane, MAX_BATCH);
      const double turned = nanoseconds();
      sink(lane, MAX_BATCH);
      const double sunk = nanoseconds();
      generator += generated - start - cost;
      processing += turned - generated - cost;
      sinking += sunk - turned - cost;
    }
    windows->generator[w] = generator / WINDOW;
    windows->processing[w] = processing / WINDOW;
    windows->sink[w] = sinking / WINDOW;
  }
}

static void print_figures(const char *name, double *windows, size_t count) {
  qsort(windows, count, sizeof *windows, compare);
  const size_t best = (size_t)((double)count * 0.001), p10 = (size_t)((double)count * 0.1);
  printf("\"%s\":{\"best\":%.2f,\"p10\":%.2f,\"median\":%.2f},", name, windows[best], windows[p10],
         windows[count / 2]);
}

static size_t number(const char *text) {
  char *end;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || *end != '\0' || value == 0 || value > 1000000000000ull) {
    fprintf(stderr, "twin: '%s' is no number of packets\n", text);
    exit(2);
  }
  return (size_t)value;
}

int main(int argc, char **argv) {
  const char *path = NULL;
  size_t packets = PACKETS_DEFAULT;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--smoke") == 0) packets = PACKETS_SMOKE;
    else if (strcmp(argv[i], "--packets") == 0 && i + 1 < argc) packets = number(argv[++i]);
    else if (path == NULL && argv[i][0] != '-') path = argv[i];
    else path = "";
  }
  if (path == NULL || *path == '\0') {
    fprintf(stderr, "usage: twin SNAPSHOT [--packets N] [--smoke]\n");
    return 2;
  }
  static struct lane lane;
  open_lane(&lane, path);
  const uint32_t outcome = prove(&lane);

  const size_t count = (packets + WINDOW - 1) / WINDOW;
  double *memory = calloc(3 * count, sizeof *memory);
  if (memory == NULL) {
    fprintf(stderr, "twin: no memory for %zu windows\n", count);
    return 1;
  }
  struct windows windows = {memory, memory + count, memory + 2 * count, 0};
  measure(&lane, &windows, count / 4 + 1); /* caches and clock come up to speed */
  measure(&lane, &windows, count);
  if (lane.forwarder.refused != 0) {
    fprintf(stderr, "twin: %llu packets were no plain hits\n", (unsigned long long)lane.forwarder.refused);
    return 1;
  }
  printf("{\"templates\":%u,\"packets\":%zu,", lane.snapshot.header.templates, count * WINDOW);
  print_figures("generator", windows.generator, count);
  print_figures("processing", windows.processing, count);
  print_figures("sink", windows.sink, count);
  printf("\"outcome\":\"%08x\",\"compiler\":\"%s\"}\n", outcome, __VERSION__);
  free(memory);
  return 0;
}
