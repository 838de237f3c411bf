// The members of a tar file by hand, as hostile as one likes.
#pragma once

#include <cstdio>
#include <string>

namespace weir {

// ustar: a file's header, with what stands in it; a pax record is "LENGTH key=value\n".
inline std::string TarMember(const std::string& name, char type, const std::string& content) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char size[12];
  std::snprintf(size, sizeof size, "%011o", static_cast<unsigned>(content.size()));
  header.replace(100, 7, "0000644").replace(124, 11, size).replace(136, 11, "00000000000");
  header[156] = type;
  header.replace(257, 8, std::string("ustar\00000", 8)).replace(148, 8, "        ");
  unsigned sum = 0;
  for (const unsigned char c : header) sum += c;
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  header.replace(148, 7, std::string(checksum, 7));
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

}  // namespace weir
