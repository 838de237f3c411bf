// Our losses and their gradients against autograd's in float64 (losses_reference.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stages/train/class_weight.h"
#include "stages/train/losses/cross_entropy.h"
#include "stages/train/losses/focal.h"
#include "tests/support/reference_tensors.h"

namespace weir {
namespace {

class LossesParity : public testing::Test {
 protected:
  // Numbers that were float64 there.
  std::vector<double> Doubles(const std::string& name) const {
    const auto values = file_.Values<float>(name), rest = file_.Values<float>(name + "/rest");
    std::vector<double> all(values.begin(), values.end());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += static_cast<double>(rest[i]);
    return all;
  }

  std::vector<Sample> Samples() const {
    const auto labels = file_.Values<float>("labels");
    const std::vector<double> parts = Doubles("mixtures");
    const std::size_t classes = parts.size() / labels.size();
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      Sample sample{.label = static_cast<int>(labels[i]), .path = ""};
      for (std::size_t c = 0; c < classes; ++c) {
        const double part = parts[i * classes + c];
        if (part > 0 && part < 1) sample.mixture.push_back({static_cast<int>(c), part});
      }
      samples.push_back(std::move(sample));
    }
    return samples;
  }

  const ReferenceTensors file_{"tests/stages/train/losses/losses_reference.safetensors"};
};

TEST_F(LossesParity, IsAutograds) {
  using LossPointer = std::shared_ptr<const Loss>;
  const auto cross_entropy = [](double smoothing) {
    return std::make_shared<const CrossEntropy>(CrossEntropy::Params{smoothing});
  };
  const auto focal = [](double gamma, double alpha, double smoothing) {
    return std::make_shared<const Focal>(Focal::Params{gamma, alpha, smoothing});
  };
  const std::map<std::string, LossPointer> losses = {
      {"categorical_crossentropy 0", cross_entropy(0)},
      {"categorical_crossentropy 0.1", cross_entropy(0.1)},
      {"focal 2 0.25 0", focal(2, 0.25, 0)},
      {"focal 2 0.25 0.1", focal(2, 0.25, 0.1)},
      {"focal 0.5 1 0", focal(0.5, 1, 0)},
      {"focal 0 1 0.2", focal(0, 1, 0.2)},
  };
  const auto logits = file_.Values<float>("logits");
  const std::vector<Sample> samples = Samples();
  const std::size_t classes = logits.size() / samples.size();
  ASSERT_FALSE(samples.back().mixture.empty());
  for (const auto& [name, loss] : losses) {
    for (const std::string weighted : {"", "weighted "}) {
      const auto weights = weighted.empty() ? std::vector<double>() : Doubles("weights");
      const std::vector<double> theirs = Doubles(name + "/" + weighted + "loss");
      const std::vector<double> gradients = Doubles(name + "/" + weighted + "gradient");
      double of_loss = 0, of_gradient = 0;
      for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto of_picture = std::span(logits).subspan(i * classes, classes);
        std::vector<float> gradient(of_picture.begin(), of_picture.end());
        const double ours = WeightedGradient(*loss, weights, gradient, samples[i], 1);
        of_loss = std::max(of_loss, std::abs(ours - theirs[i]));
        for (std::size_t c = 0; c < classes; ++c) {
          const double difference =
              std::abs(static_cast<double>(gradient[c]) - gradients[i * classes + c]);
          of_gradient = std::max(of_gradient, difference);
        }
        if (weighted.empty()) {
          EXPECT_DOUBLE_EQ(ours, loss->Of(of_picture, samples[i]));
        }
      }
      // Losses of up to 200 are float64; gradients of up to 3.5 are given as float32, and of a
      // weighted mixture are the sum of two.
      EXPECT_LE(of_loss, 1e-11) << name;
      EXPECT_LE(of_gradient, 5e-7) << name;
      std::printf("%s%s: loss within %.1e, gradient within %.1e of %s\n", weighted.c_str(),
                  name.c_str(), of_loss, of_gradient, file_.Metadata("versions").c_str());
    }
  }
}

}  // namespace
}  // namespace weir
