/* The hit path once more, in C: the same sweeps over the same memory as src/dataplane/hit-path.ts, without libraries.
 * Hash all, touch the index, touch the records, then act. It exists to be measured against, so it takes the form that is
 * fastest in C: the header checks stand in the last sweep, not in the first as the product has them for V8 (18.8 ns
 * instead of 20.4 at 1,024 flows). What is not a plain hit is refused and counted: the slow path is not compared. */

#include "hit-path.h"

#include <string.h>

#define ETHERTYPE_IPV4 0x0008u /* as loaded from the high half of word 3 */
#define VERSION_4_NO_OPTIONS 0x45u
#define FRAGMENT_BITS 0xff3f0000u
#define TCP 6u
#define UDP 17u
#define SYN 0x02u
#define FIN_OR_RST 0x05u
#define ACK 0x10u

static inline uint32_t hash_key(uint32_t src, uint32_t dst, uint32_t ports, uint32_t key) {
  uint32_t h = (src ^ (src >> 16)) * 0x9e3779b1u + (dst ^ (dst >> 16)) * 0x85ebca77u +
               (ports ^ (ports >> 16) ^ key) * 0xc2b2ae3du;
  h ^= h >> 15;
  h *= 0x27d4eb2fu;
  return h ^ (h >> 16);
}

/* RFC 1071 over a header without options: the sum of its ten halves is all ones. */
static inline int checksum_holds(uint32_t w4, uint32_t w5, uint32_t w6, uint32_t w7, uint32_t w8) {
  uint32_t high = (w4 >> 16) + (w5 >> 16) + (w6 >> 16) + (w7 >> 16) + (w8 >> 16);
  uint32_t low = (w4 & 0xffff) + (w5 & 0xffff) + (w6 & 0xffff) + (w7 & 0xffff) + (w8 & 0xffff);
  uint32_t sum = high + low;
  return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* RFC 1624, equation 3: the complement of the old checksum plus what changed. */
static inline uint32_t apply_delta(uint32_t checksum, uint32_t delta) {
  uint32_t sum = (~checksum & 0xffff) + delta;
  return ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
}

/* The record of a key, or record 0, whose path is never valid. */
static struct record *find(const uint32_t *index, uint32_t mask, struct record *records, const uint32_t *p,
                           uint32_t key) {
  const uint32_t h = hash_key(p[7], p[8], p[9], key);
  for (uint32_t at = h & mask; index[at] != 0; at = (at + 1) & mask) {
    if (((index[at] ^ h) & 0xff000000u) != 0) continue;
    struct record *r = &records[index[at] & 0xffffff];
    if (r->src == p[7] && r->dst == p[8] && r->ports == p[9] && r->key == key) return r;
  }
  return &records[0];
}

/* Two neighbouring words at once. */
static inline void move_pair(void *to, const void *from) { memcpy(to, from, 8); }

/* Every check of the parse stage that a plain packet passes. */
static inline int is_plain(const uint32_t *p, uint32_t protocol, uint32_t length, const struct hot *sender) {
  const uint32_t w4 = p[4];
  const uint32_t total = ((w4 >> 8) & 0xff00) | (w4 >> 24);
  const uint32_t transport = protocol == TCP ? (p[12] >> 2) & 0x3c : protocol == UDP ? 8 : 0;
  const uint32_t odd = ((p[3] >> 16) ^ ETHERTYPE_IPV4) | ((w4 & 0xff) ^ VERSION_4_NO_OPTIONS) | (p[5] & FRAGMENT_BITS);
  return odd == 0 && transport >= (protocol == TCP ? 20u : 8u) && total >= 20 + transport && total + 14 <= length &&
         (total <= MTU_LEAST || total + 14 <= sender->frame_max) && checksum_holds(w4, p[5], p[6], p[7], p[8]);
}

static inline void translate(uint32_t *p, const struct record *r, int is_tcp) {
  const uint32_t deltas = r->deltas;
  const uint32_t w6 = p[6];
  p[6] = (w6 & 0xffff) | (apply_delta(w6 >> 16, deltas & 0xffff) << 16);
  p[7] = r->new_src;
  move_pair(&p[8], &r->new_dst);
  if (is_tcp) {
    const uint32_t w13 = p[13];
    p[13] = (w13 & 0xffff0000u) | apply_delta(w13 & 0xffff, deltas >> 16);
  } else {
    const uint32_t w10 = p[10];
    if (w10 >> 16 != 0) {
      const uint32_t checksum = apply_delta(w10 >> 16, deltas >> 16);
      p[10] = (w10 & 0xffff) | ((checksum == 0 ? 0xffff : checksum) << 16); /* RFC 768 */
    }
  }
}

void forward(struct forwarder *f, uint32_t count, uint32_t tail, uint32_t head) {
  const struct ingress *restrict ingress = f->ingress;
  struct egress *restrict egress = f->egress;
  uint32_t *restrict frames = f->frames;
  const uint32_t *restrict index = f->index;
  struct record *restrict records = f->records;
  const struct hot *restrict hot = f->hot;
  struct traffic *restrict traffic = f->traffic;
  const uint32_t ring_mask = f->ring_mask;
  const uint32_t index_mask = f->index_mask;
  const uint32_t slot_words = f->slot_words;
  const uint32_t first_word = f->first_word;
  uint32_t starts[HIT_GROUP];
  uint32_t keys[HIT_GROUP];
  uint32_t hashes[HIT_GROUP];
  uint32_t found[HIT_GROUP];
  uint32_t touch = 0;
  uint32_t hits = 0;
  uint32_t exits = 0;
  uint32_t duplicates = 0;

  for (uint32_t first = 0; first < count; first += HIT_GROUP) {
    const uint32_t group = count - first < HIT_GROUP ? count - first : HIT_GROUP;

    for (uint32_t i = 0; i < group; i++) {
      const struct ingress *d = &ingress[(tail + first + i) & ring_mask];
      const uint32_t start = d->slot * slot_words + first_word;
      const uint32_t *p = frames + start;
      const uint32_t protocol = (p[6] >> 8) & 0xff;
      const uint32_t key = (d->attachment << 8) | protocol;
      keys[i] = key;
      hashes[i] = hash_key(p[7], p[8], p[9], key);
      starts[i] = start;
    }

    for (uint32_t i = 0; i < group; i++) touch ^= index[hashes[i] & index_mask];
    for (uint32_t i = 0; i < group; i++) {
      const uint32_t h = hashes[i];
      uint32_t at = h & index_mask;
      uint32_t entry = index[at];
      while (entry != 0 && ((entry ^ h) & 0xff000000u) != 0) {
        at = (at + 1) & index_mask;
        entry = index[at];
      }
      found[i] = entry & 0xffffff;
      touch ^= records[found[i]].key;
    }

    for (uint32_t i = 0; i < group; i++) {
      const struct ingress *d = &ingress[(tail + first + i) & ring_mask];
      struct egress *o = &egress[(head + first + i) & ring_mask];
      uint32_t *p = frames + starts[i];
      const uint32_t key = keys[i];
      if (!is_plain(p, key & 0xff, d->length, &hot[key >> 8])) {
        f->refused++;
        continue;
      }
      struct record *r = &records[found[i]];
      if (((r->src ^ p[7]) | (r->dst ^ p[8]) | (r->ports ^ p[9]) | (r->key ^ key)) != 0) {
        /* The tag of another flow was the same. */
        r = find(index, index_mask, records, p, key);
      }
      const uint32_t facts = r->egress;
      const int is_tcp = (key & 0xff) == TCP;
      const uint32_t flags = is_tcp ? (p[12] >> 8) & 0x3f : ACK;
      const uint32_t a = key >> 8;
      const uint32_t time = d->now_ms;
      if ((facts & PATH_VALID) == 0 || r->generation != hot[a].generation ||
          (int32_t)(time - r->last_seen) >= (int32_t)hot[a].idle_ms || (flags & (SYN | ACK)) == SYN) {
        f->refused++;
        continue;
      }

      const uint32_t bytes = d->length;
      const uint32_t path = r->path;
      if ((facts & PATH_TAP) != 0) f->refused++;

      if ((facts & PATH_TRANSLATES) != 0) translate(p, r, is_tcp);
      const uint32_t b = facts & EGRESS_MASK;
      move_pair(&p[0], &hot[b].mac_high);
      move_pair(&p[2], &hot[b].fabric_high);

      r->last_seen = time;
      r->packets++;
      r->bytes += bytes;
      traffic[a].sent_packets++;
      traffic[a].sent_bytes += bytes;
      traffic[b].received_packets++;
      traffic[b].received_bytes += bytes;

      const uint32_t exit = (facts >> PATH_EXIT_SHIFT) & 1;
      move_pair(&o->slot, &d->slot);
      move_pair(&o->packet, &d->packet);
      o->attachment = b;
      o->verdict = exit << 8;
      o->path = path;
      hits++;
      exits += exit;
      duplicates += (d->facts >> FACT_DUPLICATE_SHIFT) & 1;
      if ((flags & FIN_OR_RST) != 0) f->refused++;
      if ((facts & PATH_TAP) != 0) f->refused++;
    }
  }
  f->touched = touch;
  f->counters[COUNT_RECEIVED] += hits - duplicates;
  f->counters[COUNT_DUPLICATED] += duplicates;
  f->counters[COUNT_DELIVERED] += hits - exits;
  f->counters[COUNT_EXITED] += exits;
  f->counters[COUNT_FLOW_HITS] += hits;
  f->counters[COUNT_SLOW_PASSES] += count - hits;
}
