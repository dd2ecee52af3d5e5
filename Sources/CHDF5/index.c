// Walks an HDF5 file that is mapped into memory and lists what is in it. Runs inside the sandboxed worker only.
#include <stdlib.h>
#include <string.h>

#include "hdf5_index.h"
#include "objects.h"

// libhdf5's in-memory driver asks for a copy of the image; it gets the mapping itself.
static const void *mapped_image;

static void *image_malloc(size_t size, H5FD_file_image_op_t operation, void *user) {
  (void)size, (void)operation, (void)user;
  return (void *)mapped_image;
}
static void *image_memcpy(void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *user) {
  (void)from, (void)size, (void)operation, (void)user;
  return to;
}
static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t operation, void *user) {
  (void)bytes, (void)size, (void)operation, (void)user;
  return NULL;
}
static herr_t image_free(void *bytes, H5FD_file_image_op_t operation, void *user) {
  (void)bytes, (void)operation, (void)user;
  return 0;
}

int zoo_hdf5_prepare(void) {
  // A damaged file may leave objects that the library would try to close for ever.
  H5dont_atexit();
  if (H5open() < 0) return -1;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return H5PLset_loading_state(0) < 0 ? -1 : 0;
}

static hid_t open_image(const void *image, size_t size) {
  mapped_image = image;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5FD_file_image_callbacks_t callbacks = {image_malloc, image_memcpy, image_realloc, image_free, NULL, NULL, NULL};
  hid_t file = -1;
  // Closing the file then closes what a damaged object left open, which would keep the image in use.
  if (H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 && H5Pset_fapl_core(access, 65536, 0) >= 0 &&
      H5Pset_file_image_callbacks(access, &callbacks) >= 0 && H5Pset_file_image(access, (void *)image, size) >= 0)
    file = H5Fopen("/image", H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

#if H5_VERSION_GE(1, 12, 0)
typedef H5O_token_t address_type;
static address_type address_of(const H5O_info_t *info) { return info->token; }
#else
typedef haddr_t address_type;
static address_type address_of(const H5O_info_t *info) { return info->addr; }
#endif

// Objects still to be visited, by path; groups already seen, by address, so that a cycle ends.
typedef struct walk {
  char **paths;
  size_t count, capacity;
  address_type *groups;
  size_t group_count, group_capacity;
  const char *parent;
  const char *problem;
  char place[2048];
} walk;

static const size_t most_objects = 1000000;
static const size_t longest_path = 2000;

static int push(walk *walk, const char *parent, const char *name) {
  size_t length = strlen(parent) + strlen(name) + 2;
  if (length > longest_path || walk->count >= most_objects) {
    walk->problem = length > longest_path ? "a path is longer than 2000 bytes" : "holds more than a million objects";
    return -1;
  }
  if (walk->count == walk->capacity) {
    size_t wanted = walk->capacity * 2 + 64;
    char **grown = realloc(walk->paths, wanted * sizeof *grown);
    if (!grown) return -1;
    walk->paths = grown;
    walk->capacity = wanted;
  }
  char *path = malloc(length);
  if (!path) return -1;
  strcpy(path, parent);
  if (strcmp(parent, "/") != 0) strcat(path, "/");
  strcat(path, name);
  walk->paths[walk->count++] = path;
  return 0;
}

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *user) {
  (void)group;
  walk *walk = user;
  if (info->type == H5L_TYPE_HARD) return push(walk, walk->parent, name);
  walk->problem = info->type == H5L_TYPE_SOFT ? "is a soft link" : "is a link to another file";
  strncpy(walk->place, name, sizeof walk->place - 1);
  return -1;
}

static int seen_before(walk *walk, address_type address) {
  for (size_t i = 0; i < walk->group_count; i++)
    if (memcmp(&walk->groups[i], &address, sizeof address) == 0) return 1;
  if (walk->group_count == walk->group_capacity) {
    size_t wanted = walk->group_capacity * 2 + 64;
    address_type *grown = realloc(walk->groups, wanted * sizeof *grown);
    if (!grown) return 1;
    walk->groups = grown;
    walk->group_capacity = wanted;
  }
  walk->groups[walk->group_count++] = address;
  return 0;
}

static int children(walk *walk, hid_t group, const char *path) {
  hid_t properties = H5Gget_create_plist(group);
  unsigned order = 0;
  int tracked = H5Pget_link_creation_order(properties, &order) >= 0 && (order & H5P_CRT_ORDER_TRACKED);
  H5Pclose(properties);
  size_t first = walk->count;
  walk->parent = path;
  if (H5Literate(group, tracked ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME, H5_ITER_INC, NULL, visit_link, walk) < 0) {
    if (!walk->problem) walk->problem = "its list of members is damaged";
    return -1;
  }
  // Last in, first out: turned round, the stack gives them in order.
  for (size_t a = first, b = walk->count; a + 1 < b; a++) {
    char *held = walk->paths[a];
    walk->paths[a] = walk->paths[--b];
    walk->paths[b] = held;
  }
  return 0;
}

static int visit(walk *walk, hid_t file, const char *path, hsize_t user_block, zoo_text *json, int *written) {
  hid_t object = H5Oopen(file, path, H5P_DEFAULT);
  H5O_info_t info;
  if (object < 0 || zoo_hdf5_info(object, &info) < 0) {
    if (object >= 0) H5Oclose(object);
    walk->problem = "can't be opened: it is damaged, or newer than this libhdf5 (" H5_VERS_INFO ")";
    return -1;
  }
  int result = 0;
  int is_group = info.type == H5O_TYPE_GROUP;
  if (is_group && seen_before(walk, address_of(&info))) {
    walk->problem = "is a group that is reached in two ways";
    result = -1;
  } else if (is_group || info.type == H5O_TYPE_DATASET) {
    if ((*written)++) zoo_text_append(json, ",", 1);
    zoo_text_print(json, "{\"path\":");
    zoo_text_string(json, path, strlen(path));
    zoo_text_append(json, ",", 1);
    zoo_hdf5_attributes(json, object);
    if (is_group) {
      result = children(walk, object, path);
    } else {
      zoo_text_print(json, ",\"dataset\":{");
      walk->problem = zoo_hdf5_dataset(json, object, user_block);
      zoo_text_append(json, "}", 1);
      result = walk->problem ? -1 : 0;
    }
    zoo_text_append(json, "}", 1);
  }
  H5Oclose(object);
  return result;
}

static void explain(zoo_text *problem, const char *path, const walk *walk) {
  zoo_text_print(problem, "{\"place\":");
  char place[4200];
  size_t used = 0;
  for (const char *part = path; *part && used < 2048; part++) place[used++] = *part;
  if (walk->place[0]) {
    if (used > 1) place[used++] = '/';
    for (const char *part = walk->place; *part && used < 4100; part++) place[used++] = *part;
  }
  zoo_text_string(problem, place, used);
  zoo_text_print(problem, ",\"problem\":");
  const char *words = walk->problem ? walk->problem : "can't be listed";
  zoo_text_string(problem, words, strlen(words));
  zoo_text_append(problem, "}", 1);
}

// From 1.14.0 on libhdf5 adds the user block to a chunk's address itself.
static hsize_t user_block_of(hid_t file) {
#if H5_VERSION_GE(1, 14, 0)
  (void)file;
  return 0;
#else
  hsize_t size = 0;
  hid_t creation = H5Fget_create_plist(file);
  if (H5Pget_userblock(creation, &size) < 0) size = 0;
  H5Pclose(creation);
  return size;
#endif
}

int zoo_hdf5_index(const void *image, size_t size, zoo_text *json, zoo_text *problem) {
  walk walk = {0};
  hid_t file = open_image(image, size);
  int result = file < 0 ? -1 : push(&walk, "/", "");
  if (file < 0) walk.problem = "its structure is damaged: libhdf5 can't open it";
  hsize_t user_block = file < 0 ? 0 : user_block_of(file);
  int written = 0;
  char *path = NULL;
  zoo_text_print(json, "{\"objects\":[");
  while (result == 0 && walk.count > 0) {
    free(path);
    path = walk.paths[--walk.count];
    result = visit(&walk, file, path, user_block, json, &written);
    if (json->failed) {
      walk.problem = "its list of objects is too long";
      result = -1;
    }
  }
  zoo_text_print(json, "]}");
  if (result != 0) explain(problem, path ? path : "/", &walk);
  free(path);
  for (size_t i = 0; i < walk.count; i++) free(walk.paths[i]);
  free(walk.paths);
  free(walk.groups);
  if (file >= 0) H5Fclose(file);
  return result;
}
