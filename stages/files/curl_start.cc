#include "stages/files/curl_start.h"

#include <curl/curl.h>

#include <mutex>

namespace weir {

void StartCurl() {
  static std::once_flag started;
  std::call_once(started, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace weir
