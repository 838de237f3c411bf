// libcurl, started once for the whole process by whoever needs it first. Any thread.
#pragma once

namespace weir {

void StartCurl();

}  // namespace weir
