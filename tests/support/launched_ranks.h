// What a launcher tells a rank in its environment, for tests that start ranks one by one.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

// A port of this machine that was free a moment ago.
inline std::uint16_t FreePort() {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listening, general, size), 0);
  EXPECT_EQ(getsockname(listening, general, &size), 0);
  close(listening);
  return ntohs(address.sin_port);
}

// As one that has each rank alone on its machine, as in a container.
inline std::vector<std::string> LaunchedRank(int rank, int ranks, std::uint16_t port) {
  return {"RANK=" + std::to_string(rank), "WORLD_SIZE=" + std::to_string(ranks),
          "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + std::to_string(port)};
}

}  // namespace weir
