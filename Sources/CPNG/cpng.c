#include "cpng.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count, position;
} reader;

static void on_error(png_structp png, png_const_charp message) {
  zoo_png *decoder = png_get_error_ptr(png);
  strncpy(decoder->message, message, sizeof decoder->message - 1);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png; (void)message; }

static void read_bytes(png_structp png, png_bytep target, png_size_t count) {
  reader *state = png_get_io_ptr(png);
  if (count > state->count - state->position) png_error(png, "the file is cut short");
  memcpy(target, state->bytes + state->position, count);
  state->position += count;
}

int zoo_png_open(zoo_png *decoder, const void *bytes, size_t count) {
  memset(decoder, 0, sizeof *decoder);
  reader *state = calloc(1, sizeof *state);
  if (!state) return -1;
  decoder->state = state;
  state->bytes = bytes;
  state->count = count;
  state->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning);
  state->info = state->png ? png_create_info_struct(state->png) : NULL;
  if (!state->info || setjmp(png_jmpbuf(state->png))) {
    zoo_png_close(decoder);
    return -1;
  }
  png_set_read_fn(state->png, state, read_bytes);
  png_set_user_limits(state->png, 0x7fffffff, 0x7fffffff);
  png_read_info(state->png, state->info);
  decoder->width = png_get_image_width(state->png, state->info);
  decoder->height = png_get_image_height(state->png, state->info);
  png_byte colour = png_get_color_type(state->png, state->info);
  decoder->is_single = colour == PNG_COLOR_TYPE_GRAY || colour == PNG_COLOR_TYPE_PALETTE;
  return 0;
}

// 16-bit grayscale saturates at 255, as Pillow's conversion has it; its alpha keeps the high byte.
static void saturate(png_structp png, png_row_infop row, png_bytep data) {
  (void)png;
  for (png_uint_32 index = 0; index < row->width * 4; index++) {
    png_byte high = data[index * 2], low = data[index * 2 + 1];
    data[index] = index % 4 == 3 ? high : high ? 255 : low;
  }
}

int zoo_png_read(zoo_png *decoder, uint8_t *rgba) {
  reader *state = decoder->state;
  png_structp png = state->png;
  if (setjmp(png_jmpbuf(png))) return -1;
  png_byte colour = png_get_color_type(png, state->info);
  png_set_expand(png);
  int saturates = colour == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, state->info) == 16;
  if (!saturates) png_set_strip_16(png);
  if (!(colour & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
  png_set_add_alpha(png, saturates ? 0xffff : 0xff, PNG_FILLER_AFTER);
  if (saturates) {
    png_set_read_user_transform_fn(png, saturate);
    png_set_user_transform_info(png, NULL, 8, 4);
  }
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, state->info);
  if (png_get_rowbytes(png, state->info) != (size_t)decoder->width * 4) png_error(png, "an unexpected row size");
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t row = 0; row < decoder->height; row++) png_read_row(png, rgba + (size_t)row * decoder->width * 4, NULL);
  png_read_end(png, NULL);
  return 0;
}

int zoo_png_read_numbers(zoo_png *decoder, uint8_t *numbers) {
  reader *state = decoder->state;
  png_structp png = state->png;
  if (setjmp(png_jmpbuf(png))) return -1;
  int is_wide = png_get_bit_depth(png, state->info) == 16;
  // A byte a pixel, its value as it is.
  png_set_packing(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, state->info);
  size_t row_bytes = (size_t)decoder->width * (is_wide ? 2 : 1);
  if (png_get_rowbytes(png, state->info) != row_bytes) png_error(png, "an unexpected row size");
  // Single bytes stand in the lower half until all passes are there.
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t row = 0; row < decoder->height; row++) png_read_row(png, numbers + row * row_bytes, NULL);
  png_read_end(png, NULL);
  for (size_t place = (size_t)decoder->width * decoder->height; !is_wide && place-- > 0;) {
    numbers[place * 2 + 1] = numbers[place];
    numbers[place * 2] = 0;
  }
  return 0;
}

void zoo_png_close(zoo_png *decoder) {
  reader *state = decoder->state;
  if (!state) return;
  if (state->png) png_destroy_read_struct(&state->png, &state->info, NULL);
  free(state);
  decoder->state = NULL;
}

typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
} writer;

static void write_bytes(png_structp png, png_bytep source, png_size_t count) {
  writer *state = png_get_io_ptr(png);
  if (state->count + count > state->capacity) {
    size_t capacity = (state->count + count) * 2;
    uint8_t *grown = realloc(state->bytes, capacity);
    if (!grown) png_error(png, "no memory");
    state->bytes = grown;
    state->capacity = capacity;
  }
  memcpy(state->bytes + state->count, source, count);
  state->count += count;
}

static void flush_bytes(png_structp png) { (void)png; }

// `palette` NULL for RGB.
static uint8_t *write_picture(const uint8_t *pixels, const uint8_t *palette, int colours, uint32_t width,
                              uint32_t height, size_t *count) {
  zoo_png errors = {0};
  writer state = {0};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &errors, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    if (png) png_destroy_write_struct(&png, &info);
    free(state.bytes);
    return NULL;
  }
  png_set_write_fn(png, &state, write_bytes, flush_bytes);
  png_set_IHDR(png, info, width, height, 8, palette ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (palette) png_set_PLTE(png, info, (png_const_colorp)palette, colours);
  png_write_info(png, info);
  size_t row_bytes = (size_t)width * (palette ? 1 : 3);
  for (uint32_t row = 0; row < height; row++) png_write_row(png, pixels + row * row_bytes);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  *count = state.count;
  return state.bytes;
}

uint8_t *zoo_png_write(const uint8_t *rgb, uint32_t width, uint32_t height, size_t *count) {
  return write_picture(rgb, NULL, 0, width, height, count);
}

uint8_t *zoo_png_write_indexed(const uint8_t *indices, const uint8_t *palette, int colours, uint32_t width,
                               uint32_t height, size_t *count) {
  return write_picture(indices, palette, colours, width, height, count);
}
