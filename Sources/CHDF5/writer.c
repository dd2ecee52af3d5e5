// Writes the structure of an HDF5 file. Runs on the program's own data, so outside the sandbox.
#include "hdf5_writer.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

struct zoo_hdf5_writer {
  hid_t file;
};

zoo_hdf5_writer *zoo_hdf5_create(const char *path) {
  zoo_hdf5_writer *writer = malloc(sizeof *writer);
  if (!writer || H5open() < 0) {
    free(writer);
    return NULL;
  }
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  // Tensors start where vector loads like it.
  H5Pset_alignment(access, 1024, 64);
  writer->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (writer->file < 0) {
    free(writer);
    return NULL;
  }
  return writer;
}

int zoo_hdf5_make_group(zoo_hdf5_writer *writer, const char *path) {
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  hid_t group = H5Gcreate2(writer->file, path, links, H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose(links);
  if (group < 0) return -1;
  return H5Gclose(group) < 0 ? -1 : 0;
}

int zoo_hdf5_set_string(zoo_hdf5_writer *writer, const char *path, const char *name, const char *text) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate_by_name(writer->file, path, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  int result = attribute < 0 || H5Awrite(attribute, type, &text) < 0 ? -1 : 0;
  if (attribute >= 0 && H5Aclose(attribute) < 0) result = -1;
  H5Sclose(space);
  H5Tclose(type);
  return result;
}

static hid_t half_type(void) {
  hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

static hid_t bool_type(void) {
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  signed char no = 0, yes = 1;
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  return type;
}

static hid_t type_of(zoo_hdf5_kind kind, int size) {
  switch (kind) {
    case zoo_hdf5_float:
      return size == 8 ? H5Tcopy(H5T_IEEE_F64LE) : size == 4 ? H5Tcopy(H5T_IEEE_F32LE) : size == 2 ? half_type() : -1;
    case zoo_hdf5_bfloat: return H5Tcreate(H5T_OPAQUE, 2);
    case zoo_hdf5_signed:
      return H5Tcopy(size == 8 ? H5T_STD_I64LE : size == 4 ? H5T_STD_I32LE : size == 2 ? H5T_STD_I16LE : H5T_STD_I8LE);
    case zoo_hdf5_unsigned:
      return H5Tcopy(size == 8 ? H5T_STD_U64LE : size == 4 ? H5T_STD_U32LE : size == 2 ? H5T_STD_U16LE : H5T_STD_U8LE);
    case zoo_hdf5_bool: return bool_type();
  }
  return -1;
}

int64_t zoo_hdf5_make_dataset(zoo_hdf5_writer *writer, const char *path, zoo_hdf5_kind kind, int size, int rank,
                              const uint64_t *shape) {
  hsize_t sizes[H5S_MAX_RANK];
  if (rank < 0 || rank > H5S_MAX_RANK) return -1;
  int is_empty = 0;
  for (int i = 0; i < rank; i++) {
    sizes[i] = shape[i];
    is_empty |= shape[i] == 0;
  }
  hid_t type = type_of(kind, size);
  if (type < 0) return -1;
  hid_t space = rank ? H5Screate_simple(rank, sizes, NULL) : H5Screate(H5S_SCALAR);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_layout(creation, H5D_CONTIGUOUS);
  H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
  // The same tensors give the same bytes.
  H5Pset_obj_track_times(creation, 0);
  hid_t dataset = H5Dcreate2(writer->file, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  int64_t result = -1;
  if (dataset >= 0) {
    haddr_t offset = is_empty ? 0 : H5Dget_offset(dataset);
    result = offset == HADDR_UNDEF ? -1 : (int64_t)offset;
    if (H5Dclose(dataset) < 0) result = -1;
  }
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(type);
  return result;
}

int zoo_hdf5_finish(zoo_hdf5_writer *writer) {
  int result = H5Fclose(writer->file) < 0 ? -1 : 0;
  free(writer);
  return result;
}
