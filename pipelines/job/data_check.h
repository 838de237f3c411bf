// A look at the pictures before they are used: their headers alone, of some of each class, so that
// a class of which nothing can be read is told of before anything is trained.
//
// One thread, before the pipeline is opened. Holds some 100 bytes a class, and what is said below.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/error.h"
#include "pipelines/job/session.h"

namespace weir {

// How many headers are read. Where none of the first `of_class` of a class can be used, more are
// read until one can be, up to kMostOfABadClass.
struct LookLimits {
  std::uint64_t of_class = 1;
  std::uint64_t in_all = 4096;
};
inline constexpr std::uint64_t kMostOfABadClass = 1000;

struct DataFindings {
  std::vector<Error> errors;       // classes to train on of which no picture can be used
  std::vector<Error> suspicions;   // classes whose first pictures (50 or more) cannot be
  std::vector<std::string> notes;  // what ends no run: lines of their own, some with lines below
};

// Looks at the pictures that will be trained on and validated with, where the stage after the
// source is `decode`; says nothing of others.
DataFindings LookAtPictures(const Session& session, const LookLimits& limits);

// What a run says of its data before it begins, a line each: what the source left out and noted,
// and what a look at one picture of each class tells. Throws the first of the errors where the run
// trains.
std::vector<std::string> CheckDataOfRun(const Session& session, bool trains);

// How many files the source left out as no pictures, by kind (stages/sources/listing/left_out.h).
std::map<std::string, std::uint64_t> LeftOutByKind(const Session& session);
// The same in words on standard error.
void SayWhatIsLeftOut(const Session& session);

// Notes on pictures that are listed more than once: one note on those under two labels, one on
// those both for training and for validation, one on the rest. Walks over all pictures; holds 24
// bytes for each.
std::vector<std::string> NotesOnRepetitions(const Session& session);

}  // namespace weir
