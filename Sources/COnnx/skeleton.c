// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding): a tag (field number and wire type), then a
// varint, 8 bytes, a length and its bytes, or 4 bytes.
#include "skeleton.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };
enum { MOST_NESTED = 24, MOST_MESSAGES = 1 << 20, LARGEST_SKELETON = 64 << 20, SMALLEST_PAYLOAD = 64 };
enum message { MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE, FUNCTION, OTHER };

static int fail(skeleton *s, size_t place, const char *problem) {
  if (!s->problem) {
    s->problem = problem;
    s->place = place;
  }
  return -1;
}

static int append(skeleton *s, const void *bytes, size_t count) {
  if (count > (size_t)LARGEST_SKELETON - s->count) return fail(s, 0, "has too many nodes to be a network");
  if (s->count + count > s->capacity) {
    size_t wanted = (s->count + count) * 2 + 65536;
    uint8_t *grown = realloc(s->bytes, wanted);
    if (!grown) return fail(s, 0, "needs more memory than the parser may have");
    s->bytes = grown;
    s->capacity = wanted;
  }
  memcpy(s->bytes + s->count, bytes, count);
  s->count += count;
  return 0;
}

static int append_varint(skeleton *s, uint64_t value) {
  uint8_t bytes[10];
  size_t count = 0;
  do {
    bytes[count++] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    value >>= 7;
  } while (value);
  return append(s, bytes, count);
}

static int read_varint(skeleton *s, size_t *place, size_t end, uint64_t *value) {
  *value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (*place >= end) return fail(s, *place, "is damaged: it ends inside a number");
    uint8_t byte = s->image[(*place)++];
    if (shift == 63 && byte > 1) return fail(s, *place, "has a number of more than 64 bits");
    *value |= (uint64_t)(byte & 0x7F) << shift;
    if (!(byte & 0x80)) return 0;
  }
  return fail(s, *place, "has a number of more than ten bytes");
}

/// What a field of a message holds; OTHER for what goes through as it is, -1 for what is dropped.
static int child_of(enum message parent, uint64_t field) {
  switch (parent) {
    case MODEL:
      if (field == 7) return GRAPH;
      if (field == 25) return FUNCTION;
      return field <= 3 || field == 8 || field == 14 ? OTHER : -1;
    case GRAPH:
      if (field == 1) return NODE;
      if (field == 5) return TENSOR;
      if (field == 15) return SPARSE;
      return field == 2 || field == 11 || field == 12 ? OTHER : -1;
    case SPARSE: return field == 1 ? TENSOR : -1;
    case FUNCTION:
      if (field == 7) return NODE;
      if (field == 11) return ATTRIBUTE;
      return field != 8 && field <= 10 ? OTHER : -1;
    case NODE:
      if (field == 5) return ATTRIBUTE;
      return field <= 4 || field == 7 ? OTHER : -1;
    case ATTRIBUTE:
      if (field == 5) return TENSOR;
      if (field == 6) return GRAPH;
      return field <= 4 || (field >= 7 && field <= 9) || field == 20 || field == 21 ? OTHER : -1;
    case TENSOR: return field <= 14 && field != 12 && field != 3 ? OTHER : -1;
    default: return OTHER;
  }
}

static int is_data(uint64_t field) {
  return field == 4 || field == 5 || field == 7 || field == 9 || field == 10 || field == 11;
}

/// Writes Payload { field, offset, count } as field 1000.
static int append_payload(skeleton *s, uint64_t field, size_t offset, size_t count) {
  if (append_varint(s, 1000 << 3 | LENGTH)) return -1;
  size_t length = s->count;
  if (append(s, "", 1) || append_varint(s, 1 << 3) || append_varint(s, field) || append_varint(s, 2 << 3) ||
      append_varint(s, offset) || append_varint(s, 3 << 3) || append_varint(s, count))
    return -1;
  s->bytes[length] = (uint8_t)(s->count - length - 1);
  return 0;
}

static int copy_message(skeleton *s, size_t place, size_t end, enum message kind, int depth);

static int copy_nested(skeleton *s, uint64_t tag, size_t place, size_t end, enum message kind, int depth) {
  if (depth >= MOST_NESTED) return fail(s, place, "nests graphs too deep");
  if (++s->messages > MOST_MESSAGES) return fail(s, place, "has too many nodes to be a network");
  if (append_varint(s, tag)) return -1;
  // Room for the length, which is known at the end: a varint of five bytes.
  size_t length = s->count;
  if (append(s, "\0\0\0\0", 5) || copy_message(s, place, end, kind, depth + 1)) return -1;
  size_t count = s->count - length - 5;
  for (int i = 0; i < 5; i++) s->bytes[length + i] = (uint8_t)((count >> (7 * i) & 0x7F) | (i < 4 ? 0x80 : 0));
  return 0;
}

static int copy_field(skeleton *s, size_t start, size_t *place, size_t end, uint64_t tag, enum message kind, int depth) {
  uint64_t value = 0, field = tag >> 3;
  int child = child_of(kind, field);
  size_t body = *place;
  switch (tag & 7) {
    case VARINT:
      if (read_varint(s, place, end, &value)) return -1;
      break;
    case FIXED64:
    case FIXED32: {
      size_t count = (tag & 7) == FIXED64 ? 8 : 4;
      if (count > end - *place) return fail(s, start, "is damaged: it ends inside a field");
      *place += count;
      break;
    }
    case LENGTH:
      if (read_varint(s, place, end, &value)) return -1;
      if (value > end - *place) return fail(s, start, "is damaged: a field is longer than what holds it");
      body = *place;
      *place += value;
      if (child < 0) return 0;
      if (child != OTHER) return copy_nested(s, tag, body, body + value, (enum message)child, depth);
      if (kind == TENSOR && is_data(field) && value >= SMALLEST_PAYLOAD)
        return append_payload(s, field, body, (size_t)value);
      break;
    default: return fail(s, start, "is no protobuf message");
  }
  return child < 0 ? 0 : append(s, s->image + start, *place - start);
}

static int copy_message(skeleton *s, size_t place, size_t end, enum message kind, int depth) {
  while (place < end) {
    size_t start = place;
    uint64_t tag = 0;
    if (read_varint(s, &place, end, &tag)) return -1;
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) return fail(s, start, "is no protobuf message");
    if (copy_field(s, start, &place, end, tag, kind, depth)) return -1;
  }
  return 0;
}

int zoo_onnx_skeleton(skeleton *skeleton) { return copy_message(skeleton, 0, skeleton->size, MODEL, 0); }
