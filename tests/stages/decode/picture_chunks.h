// Pieces of picture files that no writer at hand would make: chunks of PNG and WebP, EXIF blocks.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>

namespace weir {

inline std::string LittleBytes(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> 8 * i);
  return bytes;
}

inline std::string BigBytes(std::uint64_t value, int count) {
  const std::string little = LittleBytes(value, count);
  return {little.rbegin(), little.rend()};
}

// As zlib packs it.
inline std::string Deflated(const std::string& bytes, int level = 6) {
  uLongf size = compressBound(bytes.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), level);
  packed.resize(size);
  return packed;
}

// An EXIF block of one entry, the orientation, without a prefix.
inline std::string ExifBlock(int orientation, bool little = true) {
  const auto number = [little](std::uint32_t value, int bytes) {
    return little ? LittleBytes(value, bytes) : BigBytes(value, bytes);
  };
  return (little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(1, 2) + number(274, 2) +
         number(3, 2) + number(1, 4) + number(orientation, 2) + number(0, 6);
}

inline std::string XmpPacket(int orientation) {
  return "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:Description tiff:Orientation=\"" +
         std::to_string(orientation) + "\"/></x:xmpmeta>";
}

inline std::string PngChunk(const std::string& tag, const std::string& data) {
  const std::string body = tag + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  return BigBytes(data.size(), 4) + body + BigBytes(static_cast<std::uint32_t>(sum), 4);
}

// `png` with `chunks` in front of its first IDAT, or in front of its IEND.
inline std::string WithPngChunks(std::string png, const std::string& chunks, bool behind) {
  return png.insert((behind ? png.rfind("IEND") : png.find("IDAT")) - 4, chunks);
}

inline std::string WebpChunk(const std::string& tag, const std::string& data) {
  return tag + LittleBytes(data.size(), 4) + data + std::string(data.size() & 1, '\0');
}

// The chunks of a WebP file that are its picture, and its alpha.
inline std::string WebpPicture(const std::string& webp) {
  std::string picture;
  for (std::size_t at = 12; at + 8 <= webp.size();) {
    const auto byte = [&](int i) { return static_cast<unsigned char>(webp[at + 4 + i]); };
    const std::size_t length = byte(0) | byte(1) << 8 | byte(2) << 16;
    const std::string tag = webp.substr(at, 4);
    const std::size_t bytes = 8 + length + (length & 1);
    if (tag == "VP8 " || tag == "VP8L" || tag == "ALPH") picture += webp.substr(at, bytes);
    at += bytes;
  }
  return picture;
}

enum WebpFlag : unsigned { kWebpAnimated = 2, kWebpXmp = 4, kWebpExif = 8, kWebpAlpha = 16 };

// A WebP of the extended form (RFC 9649, section 2.7) that shows `chunks` on a canvas.
inline std::string ExtendedWebp(unsigned flags, int width, int height, const std::string& chunks) {
  const std::string body = "WEBP" +
                           WebpChunk("VP8X", LittleBytes(flags, 4) + LittleBytes(width - 1, 3) +
                                                 LittleBytes(height - 1, 3)) +
                           chunks;
  return "RIFF" + LittleBytes(body.size(), 4) + body;
}

// A frame of an animation; `left` and `top` are even.
inline std::string WebpFrame(int left, int top, int width, int height, const std::string& picture) {
  return WebpChunk("ANMF", LittleBytes(left / 2, 3) + LittleBytes(top / 2, 3) +
                               LittleBytes(width - 1, 3) + LittleBytes(height - 1, 3) +
                               LittleBytes(100, 3) + std::string(1, '\0') + picture);
}

}  // namespace weir
