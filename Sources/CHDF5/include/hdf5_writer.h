#ifndef ZOO_HDF5_WRITER_H
#define ZOO_HDF5_WRITER_H
#include <stdint.h>

/// A new HDF5 file whose structure libhdf5 writes; the bytes of its datasets are left to the caller.
typedef struct zoo_hdf5_writer zoo_hdf5_writer;

/// What the elements of a dataset are.
typedef enum zoo_hdf5_kind {
  zoo_hdf5_float,
  /// bfloat16, which HDF5 has no name for: two opaque bytes, as h5py writes it.
  zoo_hdf5_bfloat,
  zoo_hdf5_signed,
  zoo_hdf5_unsigned,
  zoo_hdf5_bool
} zoo_hdf5_kind;

/// Empties the file at `path`; NULL where that fails.
zoo_hdf5_writer *zoo_hdf5_create(const char *path);

/// Makes a group and those around it. Returns 0 when done.
int zoo_hdf5_make_group(zoo_hdf5_writer *writer, const char *path);

/// Gives an object a string. Returns 0 when done.
int zoo_hdf5_set_string(zoo_hdf5_writer *writer, const char *path, const char *name, const char *text);

/// Makes a contiguous little-endian dataset in a group that is there, and says where its bytes go.
/// Returns the offset in the file, 0 for a dataset without elements, or -1.
int64_t zoo_hdf5_make_dataset(zoo_hdf5_writer *writer, const char *path, zoo_hdf5_kind kind, int size, int rank,
                              const uint64_t *shape);

/// Writes what is left and lets go, also after a failure. Returns 0 when the file is whole.
int zoo_hdf5_finish(zoo_hdf5_writer *writer);

#endif
