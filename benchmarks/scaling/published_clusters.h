// What others measured on clusters of theirs and published: to hold the model against.
#pragma once

#include <string>
#include <vector>

namespace weir {

struct PublishedCluster {
  std::string network;  // what it trained, on what
  std::string source;
  double node_step_seconds = 0;  // a step of one node alone, its own GPUs' sum within
  double parameters = 0;
  double bytes_per_second = 0;  // each direction of a node's network
  struct Point {
    int nodes = 0;
    double efficiency = 0;  // images a second, over `nodes` times those of one node
  };
  std::vector<Point> points;
};

std::vector<PublishedCluster> PublishedClusters();

}  // namespace weir
