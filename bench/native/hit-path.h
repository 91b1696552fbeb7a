/* The hit path of the twin: see hit-path.c. */
#ifndef VNETEM_HIT_PATH_H
#define VNETEM_HIT_PATH_H

#include "layout.h"

/* Views of the arena. */
struct forwarder {
  const struct ingress *ingress;
  struct egress *egress;
  uint32_t *frames;
  const uint32_t *index;
  struct record *records;
  const struct hot *hot;
  double *counters;
  struct traffic *traffic;
  uint32_t ring_mask, index_mask, slot_words, first_word;
  /* Packets that were no plain hit, of connections that end or of captured paths: the twin has no code for those. */
  uint64_t refused;
  uint32_t touched;
};

/* Decides `count` descriptors (1 to MAX_BATCH) from the ingress cursor `tail` on; outcomes go to the egress ring from
 * `head` on. */
void forward(struct forwarder *f, uint32_t count, uint32_t tail, uint32_t head);

#endif
