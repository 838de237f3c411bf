// How fast Adam and its kin forget the moments that they keep of the gradients (their mean, and the
// mean of their squares), and what is added to the root of the second. Their Params hold it and
// append FieldsOf(&Params::moments) to their own fields.
//
// Values; any thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <tuple>

#include "framework/config/component.h"
#include "stages/train/optimizers/optimizer_options.h"

namespace weir {

struct MomentRates {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;

  static auto Fields() {
    return std::tuple{
        Field{"beta_1", &MomentRates::beta_1,
              "How much of the mean gradient a step keeps; less than 1.", Range{0, 1},
              Beta1Elsewhere()},
        Field{"beta_2", &MomentRates::beta_2,
              "How much of the mean squared gradient a step keeps; less than 1.", Range{0, 1},
              Beta2Elsewhere()},
        Field{"epsilon", &MomentRates::epsilon,
              "Added to the root of the mean squared gradient (PyTorch: 1e-8; timm's lamb: 1e-6).",
              MoreThan{0}, EpsilonElsewhere()}};
  }

  // What each Params' Check calls.
  void CheckAt(const Blame& blame) const {
    CheckLessThanOne(blame, "beta_1", beta_1);
    CheckLessThanOne(blame, "beta_2", beta_2);
    CheckIsFloat32(blame, "epsilon", epsilon);
  }
};

// What takes the bias of a mean that began at zero off it, after so many steps.
inline double Unbiasing(double beta, std::uint64_t step) {
  return 1 / (1 - std::pow(beta, static_cast<double>(step)));
}

// The learning rate with the bias of both means taken off: they start from zero.
inline double UnbiasedRate(const MomentRates& moments, double learning_rate, std::uint64_t step) {
  const double count = static_cast<double>(step);
  return learning_rate * std::sqrt(1 - std::pow(moments.beta_2, count)) /
         (1 - std::pow(moments.beta_1, count));
}

}  // namespace weir
