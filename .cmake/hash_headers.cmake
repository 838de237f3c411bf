# cmake -D SOURCE=FOLDER -D FILE=HEADER -P hash_headers.cmake: writes what tells whether two shared objects were compiled
# with the same headers of framework/ and stages/, and so agree on every class that they hand each other.
file(GLOB_RECURSE headers RELATIVE ${SOURCE} ${SOURCE}/framework/*.h ${SOURCE}/stages/*.h)
list(SORT headers)
set(hashes "")
foreach(header IN LISTS headers)
  file(SHA256 ${SOURCE}/${header} hash)
  string(APPEND hashes "${header} ${hash}\n")
endforeach()
string(SHA256 hash "${hashes}")
string(SUBSTRING ${hash} 0 12 hash)
file(WRITE ${FILE} "#define WEIR_HEADERS_HASH \"${hash}\"\n")
