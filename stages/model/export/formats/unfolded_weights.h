// What the formats that are weights alone share. Programs of others build the network and load
// them: they take them as they were learnt, batch norms unfolded, and compute in a convention of
// their own.
//
// One thread at a time, as an InferenceGraph.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "stages/model/export/formats/export_format.h"

namespace weir {

// Whether every layer of the backbone has the zeros around its map that it would have with that
// padding. On maps of odd sides the two paddings are the same.
bool IsPaddedAs(Padding padding, const Model& model);

// What the publisher calls the layers of the model's backbone, one for each layer with weights, in
// their order. Throws Error(kConfig) where it does not have this network.
Naming NamingOf(std::string_view publisher, const Model& model);

// Whether the operation is of the head, and not of the backbone.
bool IsOfHead(const inference::Operation& operation);

// The constants of an operation of a graph that keeps its batch norms, as they were learnt. Where
// the others' batch norms of a backbone add another epsilon to the variance than ours, gamma is
// multiplied with sqrt((variance + theirs) / (variance + ours)), in double and rounded once: so the
// norm is the same, and the running statistics stay those of the maps.
ConstantValues ReadUnfolded(const InferenceGraph& graph, int operation, float epsilon);

// What is said of the model in the file, by key; `program` is what loads it.
std::map<std::string, std::string> DescribeWeights(const ExportJob& job, std::string program);

// A comment of a program in Python, with the end of its line: "# It is fed RGB pictures, float32
// [N, 224, 224, 3], each byte x as x * 0.00784314 - 1.". `shape` is that of a batch.
std::string FeedingComment(const ExportJob& job, const std::string& shape);

}  // namespace weir
