#ifndef ZOO_HDF5_INDEX_H
#define ZOO_HDF5_INDEX_H
#include "growing_text.h"

// Reading; hdf5_writer.h is for writing.

/// Readies libhdf5 while system calls are still allowed: no filter plugins, no messages of its own.
int zoo_hdf5_prepare(void);

/// Lists every group and dataset of the HDF5 file that `image` holds as JSON (see HDF5Index in ZooFormats).
/// The image is read in place, never copied or changed. On failure `problem` says why, with the object's path.
/// Returns 0 when all is listed.
int zoo_hdf5_index(const void *image, size_t size, zoo_text *json, zoo_text *problem);

#endif
