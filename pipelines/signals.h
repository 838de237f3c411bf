// Ctrl-C and a polite kill: the run stops at the next step and saves what it learnt.
#pragma once

namespace weir {

// From now on SIGINT and SIGTERM are noted. A second one ends the process at once, with status 130.
void CatchSignals();

bool SignalReceived();

}  // namespace weir
