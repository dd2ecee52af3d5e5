#ifndef ZOO_GROWING_TEXT_H
#define ZOO_GROWING_TEXT_H
#include <stddef.h>

/// Text that grows; `failed` once its limit was met or memory ran out.
typedef struct zoo_text {
  char *bytes;
  size_t count;
  size_t capacity;
  size_t limit;
  int failed;
} zoo_text;

void zoo_text_append(zoo_text *text, const char *bytes, size_t count);
/// printf of at most 1023 characters.
void zoo_text_print(zoo_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// A JSON string; bytes that are no UTF-8 become U+FFFD.
void zoo_text_string(zoo_text *text, const char *string, size_t count);
void zoo_text_free(zoo_text *text);
#endif
