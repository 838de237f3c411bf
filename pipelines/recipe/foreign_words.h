// The words that people bring from other programs and that belong somewhere else here: a list for
// Problems (foreign_word.h). They are arguments of Keras' ImageDataGenerator,
// image_dataset_from_directory, MobileNetV2, Model.compile and Model.fit, of PyTorch's DataLoader
// and optimizers and torchvision's transforms, of timm's train.py, of ultralytics' default.yaml, of
// Lightning's and Hugging Face's Trainer, and of Ludwig's `trainer`.
//
// Immutable; any thread.
#pragma once

#include <span>

#include "framework/config/foreign_word.h"

namespace weir {

std::span<const ForeignWord> ForeignWords();

}  // namespace weir
