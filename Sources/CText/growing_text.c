#include "growing_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void zoo_text_append(zoo_text *text, const char *bytes, size_t count) {
  if (text->failed) return;
  if (count > text->limit - text->count) {
    text->failed = 1;
    return;
  }
  if (text->count + count > text->capacity) {
    size_t wanted = (text->count + count) * 2 + 4096;
    char *grown = realloc(text->bytes, wanted);
    if (!grown) {
      text->failed = 1;
      return;
    }
    text->bytes = grown;
    text->capacity = wanted;
  }
  memcpy(text->bytes + text->count, bytes, count);
  text->count += count;
}

void zoo_text_print(zoo_text *text, const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (count > 0) zoo_text_append(text, line, (size_t)count < sizeof line ? (size_t)count : sizeof line - 1);
}

/// Bytes of the UTF-8 sequence that starts here (RFC 3629); 0 where none does.
static size_t sequence(const unsigned char *bytes, size_t left) {
  unsigned char first = bytes[0];
  size_t length = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3
                  : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (length == 0 || length > left) return 0;
  for (size_t i = 1; i < length; i++)
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  if ((first == 0xE0 && bytes[1] < 0xA0) || (first == 0xED && bytes[1] > 0x9F) || (first == 0xF0 && bytes[1] < 0x90) ||
      (first == 0xF4 && bytes[1] > 0x8F))
    return 0;
  return length;
}

void zoo_text_string(zoo_text *text, const char *string, size_t count) {
  zoo_text_append(text, "\"", 1);
  for (size_t i = 0; i < count;) {
    unsigned char byte = (unsigned char)string[i];
    size_t length = sequence((const unsigned char *)string + i, count - i);
    if (length == 0) {
      zoo_text_append(text, "\\ufffd", 6);
    } else if (byte == '"' || byte == '\\') {
      char pair[2] = {'\\', (char)byte};
      zoo_text_append(text, pair, 2);
    } else if (byte < 0x20) {
      zoo_text_print(text, "\\u%04x", byte);
    } else {
      zoo_text_append(text, string + i, length);
    }
    i += length ? length : 1;
  }
  zoo_text_append(text, "\"", 1);
}

void zoo_text_free(zoo_text *text) {
  free(text->bytes);
  memset(text, 0, sizeof *text);
}
