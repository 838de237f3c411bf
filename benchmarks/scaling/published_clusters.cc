#include "benchmarks/scaling/published_clusters.h"

namespace weir {
namespace {

constexpr double kGbit = 1e9 / 8;  // bytes a second

// Parameters: the table at keras.io/api/applications.
constexpr double kResNet50 = 25.6e6, kResNet152 = 60.4e6, kInceptionV3 = 23.9e6;

// From the images a second of one node and of several.
PublishedCluster OfImages(std::string network, double parameters, double images_of_a_step,
                          double images_per_second,
                          const std::vector<PublishedCluster::Point>& rates) {
  PublishedCluster cluster{
      .network = std::move(network),
      .source =
          "TensorFlow's guide to performance, benchmarks.md, May 2017: 8 K80 a node "
          "(p2.8xlarge, 10 Gbit/s), synthetic pictures, distributed_replicated",
      .node_step_seconds = images_of_a_step / images_per_second,
      .parameters = parameters,
      .bytes_per_second = 10 * kGbit,
      .points = rates};
  for (PublishedCluster::Point& point : cluster.points) {
    point.efficiency /= point.nodes * images_per_second;
  }
  return cluster;
}

}  // namespace

std::vector<PublishedCluster> PublishedClusters() {
  // Goyal and others, "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017
  // (arXiv:1706.02677): 8 P100 and 50 Gbit/s Ethernet a node, about 90 % from 8 to 256 GPUs. One
  // node takes 29 hours for 90 epochs of 1,281,167 pictures in steps of 256
  // (developer.nvidia.com/facebook-trains-imagenet-1-hour).
  constexpr double kEpochs = 90, kPictures = 1281167, kHours = 29;
  return {{.network = "ResNet-50, 8 P100 a node, 50 Gbit/s",
           .source = "Goyal and others, 2017, arXiv:1706.02677; 29 hours on one node: "
                     "developer.nvidia.com/facebook-trains-imagenet-1-hour",
           .node_step_seconds = kHours * 3600 / (kEpochs * kPictures / 256),
           .parameters = kResNet50,
           .bytes_per_second = 50 * kGbit,
           .points = {{32, 0.90}}},
          OfImages("ResNet-50, 8 K80 a node, 10 Gbit/s", kResNet50, 8 * 64, 378,
                   {{2, 751}, {4, 1388}, {8, 2744}}),
          OfImages("InceptionV3, 8 K80 a node, 10 Gbit/s", kInceptionV3, 8 * 64, 229,
                   {{2, 459}, {4, 902}, {8, 1783}}),
          OfImages("ResNet-152, 8 K80 a node, 10 Gbit/s", kResNet152, 8 * 32, 146,
                   {{2, 291}, {4, 565}, {8, 981}})};
}

}  // namespace weir
