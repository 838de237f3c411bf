// How weir says that a run cannot go on.
//
// An Error is thrown where the run must end and caught once, in main. The loss of one sample is not
// an Error but a Drop (stage.h); a bug of ours is an assert.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace weir {

// Whose fault it is; the values are the exit status of the process.
enum class ErrorKind {
  kInternal = 1,       // our own
  kConfig = 2,         // the command line or the configuration
  kMemory = 3,         // the job does not fit in its ceiling
  kData = 4,           // the pictures, the weights or a saved run
  kInterrupted = 130,  // a signal; what was learnt so far is saved
};

class Error : public std::runtime_error {
 public:
  // `what` is one line that says what went wrong and where; `remedy` one that says what to do.
  Error(ErrorKind kind, const std::string& what, std::string remedy = "")
      : std::runtime_error(what), kind_(kind), remedy_(std::move(remedy)) {}

  ErrorKind kind() const { return kind_; }
  int exit_status() const { return static_cast<int>(kind_); }
  const std::string& remedy() const { return remedy_; }

 private:
  ErrorKind kind_;
  std::string remedy_;
};

}  // namespace weir
