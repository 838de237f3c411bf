// Whether a class has lost every picture in a pass, so that it is not learnt, or not measured: told
// after the first pass over each split, before an accuracy of 1 is taken for one.
//
// One thread, between passes. Costs nothing as long as nothing was dropped; else a walk over the
// names of the pass' pictures.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "framework/flow/pass.h"
#include "pipelines/job/session.h"
#include "pipelines/record/run_folder.h"

namespace weir {

// The classes of which every picture of a pass is dropped, as is_dropped(path) says.
std::vector<std::string> ClassesLostIn(const Pass& pass, const Session& session,
                                       const std::function<bool(const std::string&)>& is_dropped);

class LostClasses {
 public:
  // To be called after each pass, which `title` names; looks at the first one of each split. Throws
  // Error(kData) where a class to train on was lost; prints a line of those to validate with.
  void CheckAfter(const Pass& pass, const std::string& title, const Session& session,
                  const RunFolder& folder);

  // " (without 'ants')": the classes that validation has lost; empty where it has lost none.
  std::string InBrackets() const;

 private:
  std::set<Split> looked_at_;
  std::vector<std::string> not_measured_;
};

}  // namespace weir
