/* The product's memory as C sees it: descriptors, flow records, hot rows, and the header of a snapshot. The snapshot
 * names the offsets it was written with (`layout` below) and the twin refuses to run where one differs, so that this
 * file cannot silently fall behind src/abi/regions.ts, src/dataplane/flow-table.ts and src/dataplane/tables.ts. */
#ifndef VNETEM_LAYOUT_H
#define VNETEM_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define HIT_GROUP 64
#define MAX_BATCH 256
/* Every guest takes a datagram of this size: only larger ones are held against the guest's own limit. */
#define MTU_LEAST 576u

struct ingress {
  uint32_t slot, length, packet, attachment, now_ms, time_low, time_high, facts;
};

#define FACT_DUPLICATE_SHIFT 16

/* The first four words are those of the ingress descriptor. */
struct egress {
  uint32_t slot, length, packet, ingress, attachment, verdict, path, unused;
};

/* One cache line. Addresses and ports as little-endian loads of the frame's bytes. */
struct record {
  uint32_t src, dst, ports, key;
  uint32_t egress, new_src, new_dst, new_ports;
  uint32_t deltas, path, generation, last_seen;
  double packets, bytes;
};

#define EGRESS_MASK 0x00ffffffu
#define PATH_VALID 0x01000000u
#define PATH_TRANSLATES 0x02000000u
#define PATH_EXIT_SHIFT 26
#define PATH_TAP 0x08000000u

/* Facts of an attachment, and the Ethernet header that its guest gets: the first four words of a frame. */
struct hot {
  uint32_t mac_high, mac_low, fabric_high, fabric_low;
  uint32_t generation, idle_ms, frame_max, unused;
};

struct traffic {
  double sent_packets, sent_bytes, received_packets, received_bytes;
};

/* Slots of the counter region. */
enum {
  COUNT_RECEIVED = 0,
  COUNT_DUPLICATED = 2,
  COUNT_DELIVERED = 3,
  COUNT_EXITED = 4,
  COUNT_FLOW_HITS = 7,
  COUNT_SLOW_PASSES = 8
};

static_assert(sizeof(struct ingress) == 32 && sizeof(struct egress) == 32, "descriptors are 8 words");
static_assert(sizeof(struct record) == 64, "a record is one cache line");
static_assert(sizeof(struct hot) == 32 && sizeof(struct traffic) == 32, "rows of 32 bytes");

/* What the twin was compiled with, in the order in which a snapshot names it: word offsets, then bits. */
#define WORD(type, field) (uint32_t)(offsetof(struct type, field) / 4)
static const uint32_t LAYOUT[] = {
    HIT_GROUP, MAX_BATCH, MTU_LEAST,
    WORD(ingress, slot), WORD(ingress, length), WORD(ingress, packet), WORD(ingress, attachment),
    WORD(ingress, now_ms), WORD(ingress, facts),
    WORD(egress, slot), WORD(egress, length), WORD(egress, packet), WORD(egress, ingress),
    WORD(egress, attachment), WORD(egress, verdict), WORD(egress, path),
    WORD(record, src), WORD(record, dst), WORD(record, ports), WORD(record, key), WORD(record, egress),
    WORD(record, new_src), WORD(record, new_dst), WORD(record, new_ports), WORD(record, deltas), WORD(record, path),
    WORD(record, generation), WORD(record, last_seen), WORD(record, packets), WORD(record, bytes),
    WORD(hot, mac_high), WORD(hot, mac_low), WORD(hot, fabric_high), WORD(hot, fabric_low),
    WORD(hot, generation), WORD(hot, idle_ms), WORD(hot, frame_max),
    WORD(traffic, sent_packets), WORD(traffic, sent_bytes), WORD(traffic, received_packets),
    WORD(traffic, received_bytes),
    COUNT_RECEIVED, COUNT_DUPLICATED, COUNT_DELIVERED, COUNT_EXITED, COUNT_FLOW_HITS, COUNT_SLOW_PASSES,
    EGRESS_MASK, PATH_VALID, PATH_TRANSLATES, 1u << PATH_EXIT_SHIFT, PATH_TAP, 1u << FACT_DUPLICATE_SHIFT,
};
#define LAYOUT_WORDS (sizeof LAYOUT / sizeof LAYOUT[0])

#endif
