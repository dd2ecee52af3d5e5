// Where a dataset's bytes stand and how they are stored. The bytes themselves are left to the program outside.
#include "objects.h"

#include <stdlib.h>
#include <string.h>

/// IEEE 754's way: sign, exponent and mantissa without gaps, the usual bias, a hidden leading bit.
static int is_ieee(hid_t type, size_t exponent_bits) {
  size_t sign, exponent_at, exponent, mantissa_at, mantissa, bits = 8 * H5Tget_size(type);
  return H5Tget_fields(type, &sign, &exponent_at, &exponent, &mantissa_at, &mantissa) >= 0 &&
         H5Tget_precision(type) == bits && sign == bits - 1 && exponent == exponent_bits && mantissa_at == 0 &&
         mantissa == bits - 1 - exponent && exponent_at == mantissa && H5Tget_norm(type) == H5T_NORM_IMPLIED &&
         H5Tget_ebias(type) == ((size_t)1 << (exponent_bits - 1)) - 1;
}

static const char *kind_of(hid_t type, size_t size) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      if (size == 2 && is_ieee(type, 8)) return "bfloat";
      return (size == 2 && is_ieee(type, 5)) || (size == 4 && is_ieee(type, 8)) || (size == 8 && is_ieee(type, 11))
                 ? "float"
                 : "other";
    case H5T_INTEGER:
      if (H5Tget_precision(type) != 8 * size) return "other";
      return H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned" : "signed";
    case H5T_ENUM: return size == 1 ? "bool" : "other";
    case H5T_OPAQUE: return "opaque";
    case H5T_STRING: return "string";
    default: return "other";
  }
}

static void describe_type(zoo_text *json, hid_t dataset) {
  hid_t type = H5Dget_type(dataset);
  size_t size = H5Tget_size(type);
  H5T_order_t order = H5Tget_order(type);
  const char *kind = order == H5T_ORDER_VAX || order == H5T_ORDER_MIXED ? "other" : kind_of(type, size);
  zoo_text_print(json, "\"kind\":\"%s\",\"size\":%zu,\"bigEndian\":%s,", kind, size,
                 order == H5T_ORDER_BE ? "true" : "false");
  H5Tclose(type);
}

static const char *describe_filters(zoo_text *json, hid_t properties) {
  int count = H5Pget_nfilters(properties);
  zoo_text_print(json, ",\"filters\":[");
  for (int i = 0; i < count && i < 32; i++) {
    unsigned flags = 0, values[16] = {0};
    size_t used = 16;
    H5Z_filter_t filter = H5Pget_filter2(properties, (unsigned)i, &flags, &used, values, 0, NULL, NULL);
    if (filter < 0) return "its filters can't be read";
    zoo_text_print(json, "%s%d", i ? "," : "", (int)filter);
  }
  zoo_text_append(json, "]", 1);
  return count > 32 ? "has more than 32 filters" : NULL;
}

static const char *describe_chunks(zoo_text *json, hid_t dataset, hid_t properties, int rank, hsize_t user_block) {
  hsize_t sizes[H5S_MAX_RANK], count = 0, place[H5S_MAX_RANK];
  if (H5Pget_chunk(properties, rank, sizes) != rank) return "its chunks have no shape";
  zoo_text_print(json, ",\"chunk\":[");
  for (int i = 0; i < rank; i++) zoo_text_print(json, "%s%llu", i ? "," : "", (unsigned long long)sizes[i]);
  zoo_text_append(json, "]", 1);
  const char *problem = describe_filters(json, properties);
  if (problem) return problem;
  hid_t all = H5Dget_space(dataset);
  int read = H5Dget_num_chunks(dataset, all, &count) >= 0;
  zoo_text_print(json, ",\"chunks\":[");
  for (hsize_t i = 0; read && i < count && !json->failed; i++) {
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;
    read = H5Dget_chunk_info(dataset, all, i, place, &mask, &address, &size) >= 0;
    if (!read) break;
    zoo_text_print(json, "%s{\"offset\":%llu,\"count\":%llu,\"mask\":%u,\"at\":[", i ? "," : "",
                   (unsigned long long)(address + user_block), (unsigned long long)size, mask);
    for (int d = 0; d < rank; d++) zoo_text_print(json, "%s%llu", d ? "," : "", (unsigned long long)place[d]);
    zoo_text_print(json, "]}");
  }
  zoo_text_append(json, "]", 1);
  H5Sclose(all);
  return read ? NULL : "its list of chunks is damaged";
}

static const char *describe_compact(zoo_text *json, hid_t dataset) {
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  hssize_t points = H5Sget_simple_extent_npoints(space);
  size_t each = H5Tget_size(type);
  const char *problem = NULL;
  // A compact dataset lies in an object header, which holds 64 KiB at most; libhdf5 doesn't hold the one to the other.
  size_t most = H5Dget_storage_size(dataset) < 65536 ? (size_t)H5Dget_storage_size(dataset) : 65536;
  int fits = points >= 0 && each > 0 && (size_t)points <= most / each;
  size_t size = fits ? (size_t)points * each : 0;
  unsigned char *bytes = fits ? malloc(size + 1) : NULL;
  if (!bytes || H5Tget_class(type) == H5T_VLEN || H5Tis_variable_str(type) > 0 ||
      H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0) {
    problem = "its compact data can't be read";
  } else {
    zoo_text_print(json, ",\"bytes\":[");
    for (size_t i = 0; i < size; i++) zoo_text_print(json, "%s%u", i ? "," : "", bytes[i]);
    zoo_text_append(json, "]", 1);
  }
  free(bytes);
  H5Sclose(space);
  H5Tclose(type);
  return problem;
}

static const char *describe_layout(zoo_text *json, hid_t dataset, hid_t properties, int rank, hsize_t user_block) {
  if (H5Pget_external_count(properties) > 0) return "keeps its data in other files (external storage)";
  switch (H5Pget_layout(properties)) {
    case H5D_CONTIGUOUS: {
      haddr_t offset = H5Dget_offset(dataset);
      zoo_text_print(json, ",\"layout\":\"contiguous\"");
      if (offset != HADDR_UNDEF)
        zoo_text_print(json, ",\"offset\":%llu,\"count\":%llu", (unsigned long long)offset,
                       (unsigned long long)H5Dget_storage_size(dataset));
      return NULL;
    }
    case H5D_CHUNKED:
      zoo_text_print(json, ",\"layout\":\"chunked\"");
      return describe_chunks(json, dataset, properties, rank, user_block);
    case H5D_COMPACT:
      zoo_text_print(json, ",\"layout\":\"compact\"");
      return describe_compact(json, dataset);
    case H5D_VIRTUAL: return "is put together from other datasets (virtual storage)";
    default: return "is laid out in an unknown way";
  }
}

/// What elements that were never written are, where it is not zero.
static void describe_fill(zoo_text *json, hid_t dataset, hid_t properties) {
  H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
  hid_t type = H5Dget_type(dataset);
  unsigned char bytes[16];
  size_t size = H5Tget_size(type);
  H5T_class_t kind = H5Tget_class(type);
  if (size <= sizeof bytes && (kind == H5T_FLOAT || kind == H5T_INTEGER) &&
      H5Pfill_value_defined(properties, &defined) >= 0 && defined == H5D_FILL_VALUE_USER_DEFINED &&
      H5Pget_fill_value(properties, type, bytes) >= 0) {
    zoo_text_print(json, ",\"fill\":[");
    for (size_t i = 0; i < size; i++) zoo_text_print(json, "%s%u", i ? "," : "", bytes[i]);
    zoo_text_append(json, "]", 1);
  }
  H5Tclose(type);
}

const char *zoo_hdf5_dataset(zoo_text *json, hid_t dataset, hsize_t user_block) {
  hid_t space = H5Dget_space(dataset), properties = H5Dget_create_plist(dataset);
  hsize_t sizes[H5S_MAX_RANK];
  int rank = H5Sget_simple_extent_dims(space, sizes, NULL);
  const char *problem = rank < 0 ? "its shape can't be read" : NULL;
  if (!problem) {
    describe_type(json, dataset);
    zoo_text_print(json, "\"shape\":[");
    int is_null = H5Sget_simple_extent_type(space) == H5S_NULL;
    if (is_null) zoo_text_append(json, "0", 1);
    for (int i = 0; i < rank; i++) zoo_text_print(json, "%s%llu", i ? "," : "", (unsigned long long)sizes[i]);
    zoo_text_append(json, "]", 1);
    if (!is_null) {
      describe_fill(json, dataset, properties);
      problem = describe_layout(json, dataset, properties, rank, user_block);
    }
  }
  H5Pclose(properties);
  H5Sclose(space);
  return problem;
}
