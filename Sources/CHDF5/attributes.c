// strnlen is POSIX's.
#define _POSIX_C_SOURCE 200809L
// Attributes: Keras keeps the order of its layers and weights there, as strings of fixed or variable length.
#include "objects.h"

#include <stdlib.h>
#include <string.h>

static const size_t largest_attribute = 64u << 20;

static void fixed_strings(zoo_text *json, hid_t attribute, hid_t type, size_t count) {
  size_t each = H5Tget_size(type);
  if (each == 0 || count > largest_attribute / each) {
    zoo_text_print(json, "null");
    return;
  }
  char *bytes = calloc(count ? count : 1, each);
  if (!bytes || H5Aread(attribute, type, bytes) < 0) {
    zoo_text_print(json, "null");
  } else {
    zoo_text_print(json, "{\"strings\":[");
    for (size_t i = 0; i < count; i++) {
      if (i) zoo_text_append(json, ",", 1);
      zoo_text_string(json, bytes + i * each, strnlen(bytes + i * each, each));
    }
    zoo_text_print(json, "]}");
  }
  free(bytes);
}

static void variable_strings(zoo_text *json, hid_t attribute, hid_t space, size_t count) {
  if (count > largest_attribute / sizeof(char *)) {
    zoo_text_print(json, "null");
    return;
  }
  char **strings = calloc(count ? count : 1, sizeof(char *));
  hid_t memory = H5Tcopy(H5T_C_S1);
  H5Tset_size(memory, H5T_VARIABLE);
  hid_t type = H5Aget_type(attribute);
  H5Tset_cset(memory, H5Tget_cset(type));
  H5Tclose(type);
  if (!strings || H5Aread(attribute, memory, strings) < 0) {
    zoo_text_print(json, "null");
  } else {
    zoo_text_print(json, "{\"strings\":[");
    for (size_t i = 0; i < count; i++) {
      if (i) zoo_text_append(json, ",", 1);
      zoo_text_string(json, strings[i] ? strings[i] : "", strings[i] ? strlen(strings[i]) : 0);
    }
    zoo_text_print(json, "]}");
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, strings);
  }
  free(strings);
  H5Tclose(memory);
}

static void attribute_value(zoo_text *json, hid_t attribute) {
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  hssize_t count = H5Sget_simple_extent_npoints(space);
  if (type < 0 || count < 0 || H5Tget_class(type) != H5T_STRING) {
    zoo_text_print(json, "null");
  } else if (H5Tis_variable_str(type) > 0) {
    variable_strings(json, attribute, space, (size_t)count);
  } else {
    fixed_strings(json, attribute, type, (size_t)count);
  }
  H5Sclose(space);
  H5Tclose(type);
}

void zoo_hdf5_attributes(zoo_text *json, hid_t object) {
  H5O_info_t info;
  zoo_text_print(json, "\"attributes\":{");
  if (zoo_hdf5_info(object, &info) == 0) {
    int written = 0;
    for (hsize_t i = 0; i < info.num_attrs && i < 100000 && !json->failed; i++) {
      hid_t attribute = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
      char name[1024];
      if (attribute < 0) continue;
      if (H5Aget_name(attribute, sizeof name, name) > 0) {
        if (written++) zoo_text_append(json, ",", 1);
        zoo_text_string(json, name, strlen(name));
        zoo_text_append(json, ":", 1);
        attribute_value(json, attribute);
      }
      H5Aclose(attribute);
    }
  }
  zoo_text_append(json, "}", 1);
}
