// Turns a parsed ONNX model into JSON. Runs inside the sandboxed worker only.
#include "onnx_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "onnx.pb-c.h"
#include "skeleton.h"

enum { LARGEST_INDEX = 32 << 20 };

static void field(zoo_text *json, const char *name) { zoo_text_print(json, ",\"%s\":", name); }

static void string(zoo_text *json, const char *text) { zoo_text_string(json, text ? text : "", text ? strlen(text) : 0); }

static void bytes(zoo_text *json, ProtobufCBinaryData data) { zoo_text_string(json, (const char *)data.data, data.len); }

static void strings(zoo_text *json, const char *name, size_t count, char **values) {
  field(json, name);
  for (size_t i = 0; i < count; i++) {
    zoo_text_append(json, i ? "," : "[", 1);
    string(json, values[i]);
  }
  zoo_text_print(json, count ? "]" : "[]");
}

// Floating-point numbers go as the integers that have their bits: JSON knows no NaN.
static uint32_t float_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
static uint64_t double_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

#define NUMBERS(json, name, count, values, format, convert)                                     \
  do {                                                                                          \
    if (count) {                                                                                \
      field(json, name);                                                                        \
      for (size_t i = 0; i < (count); i++) {                                                    \
        zoo_text_append(json, i ? "," : "[", 1);                                                \
        zoo_text_print(json, "%" format, convert((values)[i]));                                 \
      }                                                                                         \
      zoo_text_append(json, "]", 1);                                                            \
    }                                                                                           \
  } while (0)

#define SAME(value) (value)

static void tensor(zoo_text *json, const ZooOnnx__TensorProto *t) {
  zoo_text_print(json, "{\"dataType\":%" PRId32, t->data_type);
  field(json, "name");
  string(json, t->name);
  field(json, "dims");
  for (size_t i = 0; i < t->n_dims; i++) zoo_text_print(json, "%s%" PRId64, i ? "," : "[", t->dims[i]);
  zoo_text_print(json, t->n_dims ? "]" : "[]");
  NUMBERS(json, "floats", t->n_float_data, t->float_data, PRIu32, float_bits);
  NUMBERS(json, "int32s", t->n_int32_data, t->int32_data, PRId32, SAME);
  NUMBERS(json, "int64s", t->n_int64_data, t->int64_data, PRId64, SAME);
  NUMBERS(json, "doubles", t->n_double_data, t->double_data, PRIu64, double_bits);
  NUMBERS(json, "uint64s", t->n_uint64_data, t->uint64_data, PRIu64, SAME);
  if (t->has_raw_data) NUMBERS(json, "raw", t->raw_data.len, t->raw_data.data, PRIu8, SAME);
  if (t->n_string_data) {
    field(json, "strings");
    for (size_t i = 0; i < t->n_string_data; i++) {
      zoo_text_append(json, i ? "," : "[", 1);
      bytes(json, t->string_data[i]);
    }
    zoo_text_append(json, "]", 1);
  }
  if (t->n_payload) {
    field(json, "payloads");
    for (size_t i = 0; i < t->n_payload; i++)
      zoo_text_print(json, "%s{\"field\":%" PRIu32 ",\"offset\":%" PRIu64 ",\"count\":%" PRIu64 "}", i ? "," : "[",
                     t->payload[i]->field, t->payload[i]->offset, t->payload[i]->count);
    zoo_text_append(json, "]", 1);
  }
  if (t->data_location == 1) {
    field(json, "external");
    zoo_text_append(json, "{", 1);
    for (size_t i = 0; i < t->n_external_data; i++) {
      if (i) zoo_text_append(json, ",", 1);
      string(json, t->external_data[i]->key);
      zoo_text_append(json, ":", 1);
      string(json, t->external_data[i]->value);
    }
    zoo_text_append(json, "}", 1);
  }
  zoo_text_append(json, "}", 1);
}

static void graph(zoo_text *json, const ZooOnnx__GraphProto *g);

/// AttributeProto's type; files of early versions leave it out, and then the field that is set says it.
static int32_t attribute_type(const ZooOnnx__AttributeProto *a) {
  enum { FLOAT = 1, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS };
  if (a->type || a->ref_attr_name) return a->type;
  return a->has_f ? FLOAT : a->has_i ? INT : a->has_s ? STRING : a->t ? TENSOR : a->g ? GRAPH : a->n_floats ? FLOATS
         : a->n_ints ? INTS : a->n_strings ? STRINGS : 0;
}

static void attribute(zoo_text *json, const ZooOnnx__AttributeProto *a) {
  zoo_text_print(json, "{\"type\":%" PRId32, attribute_type(a));
  field(json, "name");
  string(json, a->name);
  if (a->ref_attr_name) {
    field(json, "reference");
    string(json, a->ref_attr_name);
  }
  if (a->has_f) zoo_text_print(json, ",\"f\":%" PRIu32, float_bits(a->f));
  if (a->has_i) zoo_text_print(json, ",\"i\":%" PRId64, a->i);
  if (a->has_s) {
    field(json, "s");
    bytes(json, a->s);
  }
  if (a->t) {
    field(json, "t");
    tensor(json, a->t);
  }
  if (a->g) {
    field(json, "g");
    graph(json, a->g);
  }
  NUMBERS(json, "floats", a->n_floats, a->floats, PRIu32, float_bits);
  NUMBERS(json, "ints", a->n_ints, a->ints, PRId64, SAME);
  if (a->n_strings) {
    field(json, "strings");
    for (size_t i = 0; i < a->n_strings; i++) {
      zoo_text_append(json, i ? "," : "[", 1);
      bytes(json, a->strings[i]);
    }
    zoo_text_append(json, "]", 1);
  }
  zoo_text_append(json, "}", 1);
}

static void attributes(zoo_text *json, size_t count, ZooOnnx__AttributeProto **list) {
  field(json, "attributes");
  zoo_text_append(json, "[", 1);
  for (size_t i = 0; i < count; i++) {
    if (i) zoo_text_append(json, ",", 1);
    attribute(json, list[i]);
  }
  zoo_text_append(json, "]", 1);
}

static void node(zoo_text *json, const ZooOnnx__NodeProto *n) {
  zoo_text_print(json, "{\"operator\":");
  string(json, n->op_type);
  field(json, "name");
  string(json, n->name);
  field(json, "domain");
  string(json, n->domain);
  strings(json, "inputs", n->n_input, n->input);
  strings(json, "outputs", n->n_output, n->output);
  attributes(json, n->n_attribute, n->attribute);
  zoo_text_append(json, "}", 1);
}

static void nodes(zoo_text *json, size_t count, ZooOnnx__NodeProto **list) {
  field(json, "nodes");
  zoo_text_append(json, "[", 1);
  for (size_t i = 0; i < count && !json->failed; i++) {
    if (i) zoo_text_append(json, ",", 1);
    node(json, list[i]);
  }
  zoo_text_append(json, "]", 1);
}

static void values(zoo_text *json, const char *name, size_t count, ZooOnnx__ValueInfoProto **list) {
  field(json, name);
  zoo_text_append(json, "[", 1);
  for (size_t i = 0; i < count; i++) {
    zoo_text_print(json, "%s{\"name\":", i ? "," : "");
    string(json, list[i]->name);
    const ZooOnnx__TensorTypeProto *type = list[i]->type ? list[i]->type->tensor_type : NULL;
    if (type) zoo_text_print(json, ",\"dataType\":%" PRId32, type->elem_type);
    if (type && type->shape) {
      field(json, "shape");
      zoo_text_append(json, "[", 1);
      for (size_t d = 0; d < type->shape->n_dim; d++) {
        if (d) zoo_text_append(json, ",", 1);
        // A size that is a name or unknown is -1.
        zoo_text_print(json, "%" PRId64, type->shape->dim[d]->has_dim_value ? type->shape->dim[d]->dim_value : -1);
      }
      zoo_text_append(json, "]", 1);
      field(json, "axes");
      zoo_text_append(json, "[", 1);
      for (size_t d = 0; d < type->shape->n_dim; d++) {
        if (d) zoo_text_append(json, ",", 1);
        string(json, type->shape->dim[d]->dim_param);
      }
      zoo_text_append(json, "]", 1);
    }
    zoo_text_append(json, "}", 1);
  }
  zoo_text_append(json, "]", 1);
}

static void graph(zoo_text *json, const ZooOnnx__GraphProto *g) {
  zoo_text_print(json, "{\"name\":");
  string(json, g->name);
  nodes(json, g->n_node, g->node);
  field(json, "initializers");
  zoo_text_append(json, "[", 1);
  for (size_t i = 0; i < g->n_initializer && !json->failed; i++) {
    if (i) zoo_text_append(json, ",", 1);
    tensor(json, g->initializer[i]);
  }
  zoo_text_append(json, "]", 1);
  field(json, "sparse");
  for (size_t i = 0; i < g->n_sparse_initializer; i++) {
    zoo_text_append(json, i ? "," : "[", 1);
    string(json, g->sparse_initializer[i]->values ? g->sparse_initializer[i]->values->name : "");
  }
  zoo_text_print(json, g->n_sparse_initializer ? "]" : "[]");
  values(json, "inputs", g->n_input, g->input);
  values(json, "outputs", g->n_output, g->output);
  zoo_text_append(json, "}", 1);
}

static void opsets(zoo_text *json, size_t count, ZooOnnx__OperatorSetIdProto **list) {
  field(json, "opsets");
  zoo_text_append(json, "[", 1);
  for (size_t i = 0; i < count; i++) {
    zoo_text_print(json, "%s{\"version\":%" PRId64 ",\"domain\":", i ? "," : "", list[i]->version);
    string(json, list[i]->domain);
    zoo_text_append(json, "}", 1);
  }
  zoo_text_append(json, "]", 1);
}

static void function(zoo_text *json, const ZooOnnx__FunctionProto *f) {
  zoo_text_print(json, "{\"name\":");
  string(json, f->name);
  field(json, "domain");
  string(json, f->domain);
  strings(json, "inputs", f->n_input, f->input);
  strings(json, "outputs", f->n_output, f->output);
  opsets(json, f->n_opset_import, f->opset_import);
  strings(json, "attributeNames", f->n_attribute, f->attribute);
  attributes(json, f->n_attribute_proto, f->attribute_proto);
  nodes(json, f->n_node, f->node);
  zoo_text_append(json, "}", 1);
}

static void model(zoo_text *json, const ZooOnnx__ModelProto *m) {
  zoo_text_print(json, "{\"irVersion\":%" PRId64, m->ir_version);
  field(json, "producer");
  string(json, m->producer_name);
  field(json, "producerVersion");
  string(json, m->producer_version);
  opsets(json, m->n_opset_import, m->opset_import);
  field(json, "metadata");
  zoo_text_append(json, "[", 1);
  for (size_t i = 0; i < m->n_metadata_props; i++) {
    zoo_text_append(json, i ? ",[" : "[", i ? 2 : 1);
    string(json, m->metadata_props[i]->key);
    zoo_text_append(json, ",", 1);
    string(json, m->metadata_props[i]->value);
    zoo_text_append(json, "]", 1);
  }
  zoo_text_append(json, "]", 1);
  field(json, "functions");
  zoo_text_append(json, "[", 1);
  for (size_t i = 0; i < m->n_functions; i++) {
    if (i) zoo_text_append(json, ",", 1);
    function(json, m->functions[i]);
  }
  zoo_text_append(json, "]", 1);
  field(json, "graph");
  graph(json, m->graph);
  zoo_text_append(json, "}", 1);
}

static int refuse(zoo_text *problem, size_t place, const char *words) {
  zoo_text_print(problem, "{\"place\":\"at byte %zu\",\"problem\":", place);
  string(problem, words);
  zoo_text_append(problem, "}", 1);
  return -1;
}

int zoo_onnx_index(const void *image, size_t size, zoo_text *json, zoo_text *problem) {
  // The reader makes objects of it, many times its size.
  if (json->limit > LARGEST_INDEX) json->limit = LARGEST_INDEX;
  skeleton skeleton = {.image = image, .size = size};
  int result = -1;
  ZooOnnx__ModelProto *parsed = NULL;
  if (zoo_onnx_skeleton(&skeleton)) {
    refuse(problem, skeleton.place, skeleton.problem);
  } else if (!(parsed = zoo_onnx__model_proto__unpack(NULL, skeleton.count, skeleton.bytes))) {
    refuse(problem, 0, "is damaged: it is no ONNX model");
  } else if (!parsed->graph) {
    refuse(problem, 0, "holds no graph");
  } else {
    model(json, parsed);
    result = json->failed ? refuse(problem, 0, "has too many nodes to be a network") : 0;
  }
  if (parsed) zoo_onnx__model_proto__free_unpacked(parsed, NULL);
  free(skeleton.bytes);
  return result;
}
