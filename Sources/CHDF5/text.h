#ifndef ZOO_TEXT_H
#define ZOO_TEXT_H
#include "hdf5_index.h"

void zoo_text_append(zoo_text *text, const char *bytes, size_t count);
/// printf of at most 1023 characters.
void zoo_text_print(zoo_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// A JSON string; bytes above 0x7F go through as they are.
void zoo_text_string(zoo_text *text, const char *string, size_t count);
#endif
