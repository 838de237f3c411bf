// Fetches a file by http, https or file, and goes on where an earlier try stopped.
//
// By libcurl, in the calling thread; several may run at once for different files. Memory: libcurl's
// buffer of 16 kB; what arrives goes to the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace weir {

struct DownloadProgress {
  std::uint64_t done_bytes = 0;
  std::optional<std::uint64_t> total_bytes;  // empty where the server does not say
};
// Called several times a second, in the calling thread; false stops the download.
using ProgressCallback = std::function<bool(const DownloadProgress&)>;

struct DownloadRequest {
  std::string url;
  std::filesystem::path part;    // the file that is added to
  std::uint64_t most_bytes = 0;  // what is longer can never be right
  std::string wanted{};          // what it is, for messages: "the weights of a network"
  std::string remedy{};          // where the file cannot be had
  std::string elsewhere{};       // how the user says another place, as WriteError() takes it
};

// Adds to `part` what it lacks of the file at `url`. A server that ignores the range that it is
// asked for, or cannot give it, has the file sent from its start. A connection that breaks is taken
// up again as long as each try brings something. At most 5 redirects, never from the network to a
// file; given up after 30 s below 1 kB/s.
//
// Throws Error(kInterrupted) when the callback stops it, and Error(kData) for all else: `part` then
// keeps what arrived, unless that is nothing, or more than `most_bytes`.
void Download(const DownloadRequest& request, const ProgressCallback& progress);

}  // namespace weir
