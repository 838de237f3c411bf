// A running average of the weights, beside those that learn: it is validated and kept in their
// place, while learning goes on from them.
//
// Pure data and functions; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "framework/config/params.h"

namespace weir {

// An exponential moving average, after each step: average = d average + (1 - d) weights, from the
// weights that a phase begins with (Polyak and Juditsky, 1992; timm's ModelEmaV3). The warm-up is
// TensorFlow's, ExponentialMovingAverage with num_updates; timm's has another form.
struct Ema {
  double decay = 0.999;
  bool warm_up = true;

  static auto Fields() {
    return std::tuple{
        Field{"decay", &Ema::decay, "How much of the average a step keeps; less than 1.",
              Range{0, 1}, ElsewhereCalled{"ema_decay", "momentum", "ema_momentum"}},
        Field{"warm_up", &Ema::warm_up,
              "Keep less in the first steps: at most (1 + step) / (10 + step), so that the "
              "beginning is soon forgotten.",
              ElsewhereCalled{"warmup", "use_warmup"}}};
  }
  void Check(const Blame& blame) const {
    if (decay >= 1) blame("decay", "`decay` takes less than 1: the average would never move");
  }

  // The part of the way to the weights that the average goes after a step; `step` counts from 1.
  double Share(std::uint64_t step) const {
    const double count = static_cast<double>(step);
    return 1 - (warm_up ? std::min(decay, (1 + count) / (10 + count)) : decay);
  }
};

// Stochastic weight averaging: the mean of the weights at the end of each epoch from one on
// (Izmailov et al., 2018, arXiv:1803.05407; torch.optim.swa_utils.AveragedModel). The running
// statistics of batch norms that train are averaged too, where the paper measures them anew.
struct Swa {
  int from = 1;

  static auto Fields() {
    return std::tuple{Field{"from", &Swa::from, "The first epoch of the phase that counts, from 1.",
                            AtLeast{1}, Required{}, ElsewhereCalled{"start", "swa_start"}}};
  }

  // How many epochs the mean is of once `epochs` of the phase are over.
  int Count(int epochs) const { return std::max(0, epochs - from + 1); }
};

}  // namespace weir
