"""Makes Tests/Fixtures/vision: small pictures of every kind read, what Pillow makes of them, and what torchvision's
Resize, CenterCrop, ToTensor and Normalize make of those. Needs numpy, Pillow, torch, torchvision."""

import io
import json
import pathlib
import struct
import zlib

import numpy as np
import torchvision.transforms as T
from PIL import Image, ImageOps
from torchvision.transforms import InterpolationMode

folder = pathlib.Path(__file__).parent / "vision"
folder.mkdir(exist_ok=True)
for old in folder.iterdir():
    old.unlink()
random = np.random.default_rng(7)
decoded, resized, prepared = [], [], []


def drawn(width, height, channels=3):
    """Waves with some noise: smooth enough for JPEG, busy enough to show a wrong pixel."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 90 * np.sin(x / (3 + c) + c) * np.cos(y / (4 - c / 2)) for c in range(channels)]
    noisy = np.stack(planes, -1) + random.normal(0, 12, (height, width, channels))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def append(name, data):
    """Adds to a file of expected values; returns where they start."""
    with open(folder / name, "ab") as file:
        offset = file.tell()
        file.write(data)
    return offset


def opaque(image):
    """RGB; transparent pixels on white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def expect(name, tolerance=0):
    image = opaque(ImageOps.exif_transpose(Image.open(folder / name)))
    offset = append("decoded.rgb", np.asarray(image).tobytes())
    decoded.append(
        {"file": name, "width": image.width, "height": image.height, "tolerance": tolerance, "offset": offset})


def save(name, image, tolerance=0, **options):
    image.save(folder / name, **options)
    expect(name, tolerance)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(name, width, height, depth, colour, rows, before=b"", interlaced=False):
    """PNG kinds that Pillow doesn't write. `rows` are packed scanlines, or Adam7 passes in order."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    data = b"".join(b"\0" + row for row in rows)
    (folder / name).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )
    expect(name)


def adam7(pixels):
    for y, x, dy, dx in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]:
        part = pixels[y::dy, x::dx]
        if part.size:
            yield from (row.tobytes() for row in part)


colour = Image.fromarray(drawn(33, 21))
gray = colour.convert("L")
save("baseline.jpg", colour, 1, quality=90)
save("subsampled420.jpg", colour, 1, quality=85, subsampling=2)
save("subsampled422.jpg", colour, 1, quality=85, subsampling=1)
save("subsampled444.jpg", colour, 1, quality=85, subsampling=0)
save("progressive.jpg", colour, 1, quality=80, progressive=True)
save("gray.jpg", gray, 1, quality=90)
save("cmyk.jpg", Image.fromarray(drawn(31, 18, 4), "CMYK"), 1, quality=90)
save("thin.jpg", Image.fromarray(drawn(1, 40)), 1, quality=90)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(f"orientation{orientation}.jpg", Image.fromarray(drawn(19, 12)), 1, quality=90, exif=exif)
bigendian = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
save("orientation_bigendian.jpg", Image.fromarray(drawn(19, 12)), 1, quality=90, exif=bigendian)
trailing = io.BytesIO()
colour.save(trailing, "JPEG", quality=90)
(folder / "trailing.jpg").write_bytes(trailing.getvalue() + b"left over bytes")
expect("trailing.jpg", 1)

save("rgb8.png", colour)
save("gray8.png", gray)
save("gray_alpha8.png", Image.merge("LA", (gray, Image.fromarray(drawn(33, 21, 1)[:, :, 0]))))
save("rgba8.png", Image.fromarray(np.dstack([drawn(33, 21), random.integers(0, 256, (21, 33), np.uint8)]), "RGBA"))
save("palette.png", colour.quantize(37))
save("palette2.png", colour.quantize(4), bits=2)
save("palette_transparent.png", colour.quantize(16), transparency=bytes([0, 90, 200] + [255] * 13))
save("rgb_transparent.png", colour, transparency=colour.getpixel((4, 4)))
save("bilevel.png", colour.convert("1"))
save("thin.png", Image.fromarray(drawn(1, 17)))
save("gray16.png", Image.fromarray(random.integers(0, 600, (9, 13)).astype(np.uint16)))
for depth in (2, 4):
    rows = [random.integers(0, 256, (13 * depth + 7) // 8, np.uint8).tobytes() for _ in range(9)]
    raw_png(f"gray{depth}.png", 13, 9, depth, 0, rows)
raw_png("rgb16.png", 13, 9, 16, 2, [random.integers(0, 256, 13 * 6, np.uint8).tobytes() for _ in range(9)])
raw_png("rgba16.png", 13, 9, 16, 6, [random.integers(0, 256, 13 * 8, np.uint8).tobytes() for _ in range(9)])
raw_png("gamma.png", 13, 9, 8, 2, [r.tobytes() for r in drawn(13, 9)], before=chunk(b"gAMA", struct.pack(">I", 100000)))
raw_png("interlaced.png", 21, 15, 8, 2, adam7(drawn(21, 15)), interlaced=True)
raw_png("interlaced_thin.png", 1, 9, 8, 2, adam7(drawn(1, 9)), interlaced=True)

save("lossy.webp", colour, 1, quality=80)
save("lossless.webp", colour, lossless=True)
translucent = Image.fromarray(np.dstack([drawn(20, 14), random.integers(0, 256, (14, 20), np.uint8)]), "RGBA")
save("alpha.webp", translucent, lossless=True, exact=True)
save("alpha_lossy.webp", translucent, 2, quality=80)

for suffix, options in [("gif", {}), ("bmp", {}), ("tiff", {})]:
    gray.resize((4, 3)).save(folder / f"other.{suffix}", **options)

filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
sources = {"wide": drawn(67, 41), "tall": drawn(23, 90), "line": drawn(1, 37), "dot": drawn(1, 1)}
sharp = random.integers(0, 2, (48, 51, 3), np.uint8) * 255
sources["sharp"] = sharp
for name, pixels in sources.items():
    Image.fromarray(pixels).save(folder / f"source_{name}.png", optimize=True)
    for interpolation, resample in filters.items():
        for width, height in [(20, 13), (67, 20), (90, 22), (7, 41), (1, 1)]:
            # One axis at a time: which one Pillow takes first depends on its version.
            image = Image.fromarray(pixels)
            image = image.resize((width, image.height), resample).resize((width, height), resample)
            entry = {"source": f"source_{name}.png", "filter": interpolation, "width": width, "height": height}
            resized.append(entry | {"offset": append("resized.rgb", image.tobytes())})

recipes = [
    ("imagenet", 18, 16, "bilinear", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], "RGB"),
    ("lite", 19, 14, "bicubic", [127 / 255] * 3, [128 / 255] * 3, "RGB"),
    ("padded", 10, 15, "bilinear", [0.5] * 3, [0.25] * 3, "RGB"),
    ("odd", 17, 12, "bicubic", [0.1, 0.2, 0.3], [1, 2, 3], "BGR"),
]
for title, resize, crop, interpolation, mean, std, order in recipes:
    transform = T.Compose([
        T.Resize(resize, interpolation=InterpolationMode(interpolation), antialias=True),
        T.CenterCrop(crop), T.ToTensor(), T.Normalize(mean, std),
    ])
    for name, pixels in sources.items():
        tensor = transform(Image.fromarray(pixels))
        if order == "BGR":
            tensor = transform(Image.fromarray(pixels)).flip(0)
        prepared.append({
            "source": f"source_{name}.png", "recipe": title,
            "offset": append("prepared.f32", tensor.numpy().astype("<f4").tobytes()),
            "input": {"size": [crop, crop], "resize": resize, "crop": crop, "interpolation": interpolation,
                      "mean": mean, "std": std, "channelOrder": order},
        })

(folder / "expected.json").write_text(
    json.dumps({"decoded": decoded, "resized": resized, "prepared": prepared}, indent=1) + "\n")
print(sum(f.stat().st_size for f in folder.iterdir()), "bytes in", len(list(folder.iterdir())), "files")
