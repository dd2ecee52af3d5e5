#ifndef ZOO_HDF5_OBJECTS_H
#define ZOO_HDF5_OBJECTS_H
#include <hdf5.h>

#include "growing_text.h"

#if H5_VERSION_GE(1, 12, 0)
#define ZOO_OBJECT_INFO(object, info) H5Oget_info3(object, info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS)
#else
#define ZOO_OBJECT_INFO(object, info) H5Oget_info(object, info)
#endif

static inline int zoo_hdf5_info(hid_t object, H5O_info_t *info) { return ZOO_OBJECT_INFO(object, info) < 0 ? -1 : 0; }

/// `"attributes":{...}`: strings as {"strings":[...]}, all else null.
void zoo_hdf5_attributes(zoo_text *json, hid_t object);
/// The fields of a dataset: type, shape, layout, filters, where its bytes stand.
/// Returns NULL, or what of it zoo refuses.
const char *zoo_hdf5_dataset(zoo_text *json, hid_t dataset, hsize_t user_block);
#endif
