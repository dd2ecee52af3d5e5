// libpng reports errors by longjmp, which may not cross Swift: these calls return instead.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t width, height;
  /// Whether a pixel is one number: a gray value or a place in a palette.
  int is_single;
  char message[128];
  void *state;
} zoo_png;

/// Reads the header; 0 on success, else `message` says why. After success zoo_png_close must be called.
int zoo_png_open(zoo_png *decoder, const void *bytes, size_t count);
/// Decodes into width * height * 4 bytes of 8-bit RGBA.
int zoo_png_read(zoo_png *decoder, uint8_t *rgba);
/// Of a picture whose pixels are one number: decodes these into width * height * 2 bytes, the higher byte of each first.
int zoo_png_read_numbers(zoo_png *decoder, uint8_t *numbers);
void zoo_png_close(zoo_png *decoder);

/// Encodes 8-bit RGB; returns the bytes (to be freed by the caller) and their count, or NULL.
uint8_t *zoo_png_write(const uint8_t *rgb, uint32_t width, uint32_t height, size_t *count);

/// Encodes a colour a byte, an index into a palette of `colours` (1 to 256) RGB triples; as zoo_png_write else.
uint8_t *zoo_png_write_indexed(const uint8_t *indices, const uint8_t *palette, int colours, uint32_t width,
                               uint32_t height, size_t *count);
