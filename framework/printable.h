// Names out of a file that nobody vouches for, made fit for one line of a message.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// Control characters become '?', and what is longer than 80 bytes ends in "...".
std::string Printable(std::string_view text);

// "1.5 MB": decimal units, as disks and downloads are sold.
std::string PrintableBytes(double bytes);

}  // namespace weir
