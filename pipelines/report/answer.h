// What a model says of one picture, as people and programs are told: the most probable classes, and
// whether the first of them is the answer.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct AnswerOptions {
  int top = 3;  // classes in an answer
  // The answer is the most probable class where that is so probable, else none of them; empty: none
  // is given beside the classes.
  std::optional<double> threshold{};
};

struct Answer {
  std::vector<int> labels;  // the most probable first, ties by label
  std::span<const float> probabilities;
  bool is_sure = true;  // the first of them is the answer

  double of(std::size_t place) const {
    return static_cast<double>(probabilities[static_cast<std::size_t>(labels[place])]);
  }
};

// `probabilities`, [classes], outlive it.
Answer AnswerOf(std::span<const float> probabilities, const AnswerOptions& options);

// Writes the members of an object in JSON, a class at a time, as there may be 65,536:
//   "answer":"bees","predictions":[{"class":"bees","probability":0.98}]
// The answer, null for none of them, is there with a threshold alone.
void WriteJson(const Answer& answer, const AnswerOptions& options,
               const std::vector<std::string>& classes,
               const std::function<void(std::string_view)>& write);

// A string in JSON, whatever its bytes are.
std::string JsonString(const std::string& text);

}  // namespace weir
