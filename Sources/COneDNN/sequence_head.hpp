// What head `head` of one sequence works on in an attention.
#pragma once
#include "sequences.h"

namespace zoo {

struct Head {
  const zoo_sequence_attention &attention;
  const zoo_sequence &sequence;
  int64_t head;

  const float *query(int64_t row) const { return sequence.queries + row * sequence.query_row + head * attention.width; }
  const float *key(int64_t row) const { return sequence.keys + row * sequence.key_row + head * attention.width; }
  const float *value(int64_t row) const { return sequence.values + row * sequence.value_row + head * attention.width; }
  float *output(int64_t row) const { return sequence.output + row * sequence.output_row + head * attention.width; }
  // The place of a query among the keys.
  int64_t place(int64_t query) const { return sequence.key_count - sequence.query_count + query; }
  // Keys that a query sees.
  int64_t visible(int64_t query) const { return attention.is_causal ? place(query) + 1 : sequence.key_count; }
  // Where among all heads' distances those of a query to the keys from `key` on stand.
  int64_t distance(int64_t query, int64_t key) const {
    return head * attention.distances + attention.distances / 2 + key - place(query);
  }
  // What is added to the products of a query with the keys from `key` on.
  const float *bias(int64_t query, int64_t key) const {
    return attention.bias ? attention.bias + distance(query, key) : nullptr;
  }
};

}  // namespace zoo
