// What a PBM, PGM or PPM says in front of its pixels: of bytes (P4, P5, P6) and of text (P1, P2,
// P3).
//
// Source: the manual pages pbm(5), pgm(5) and ppm(5) of Netpbm.
#pragma once

#include <cstdint>
#include <string>

#include "stages/decode/picture/image_format.h"
#include "stages/files/file_bytes.h"

namespace weir {

struct PnmHeader {
  bool text = false;
  bool bits = false;  // PBM: a sample is 1 where it is black
  int channels = 1;   // 1 or 3
  int width = 0;
  int height = 0;
  int brightest = 1;            // 1 to 65,535: the sample that is white
  std::uint64_t pixels_at = 0;  // in the file
};

// What stands between the words of a header and the numbers of a text.
inline bool IsPnmBlank(int byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

// Whether a file that begins so is one of the six.
bool IsPnm(const FirstBytes& start);

// Returns what is wrong with the file: empty where nothing is. Any thread.
std::string ReadPnmHeader(FileBytes& file, PnmHeader& header);
std::string ParsePnmHeader(FileBytes& file, ImageHeader& header);

}  // namespace weir
