#!/usr/bin/env bash
# Prints which folders of the sources include which, and fails where one includes a folder that stands behind it in the
# list below. Folders that include each other, directly or in a circle, cannot be put in any order, so they fail too.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Every folder may include those before it. decode/ stands before sources/, which know a picture by its first bytes.
order='
  framework framework/config framework/memory framework/flow framework/graph framework/plugin
  stages stages/files stages/files/remote stages/kernels stages/ranks
  stages/decode/picture stages/decode/vips stages/decode/jpeg stages/decode/png stages/decode/bmp stages/decode/pnm
  stages/decode/tiff stages/decode/gif stages/decode/webp
  stages/decode stages/sources/listing stages/sources stages/sources/shards stages/augment stages/batch
  stages/model/weights/containers stages/model/weights stages/model/backbones stages/model/head stages/model
  stages/model/export stages/model/export/inference stages/model/export/formats stages/model/export/formats/onnx
  stages/model/export/formats/tflite stages/model/export/formats/keras stages/model/export/formats/torchscript
  stages/model/export/formats/torchvision
  stages/device stages/device/cuda stages/features/onednn stages/features stages/predict
  stages/train/losses stages/train/metrics stages/train/schedules stages/train/optimizers stages/train/optimizers/on_device stages/train/torch
  stages/train/tensors stages/train/steps stages/train/backbone stages/train/head stages/train stages/writers
  pipelines/report pipelines/drawing pipelines/record pipelines/recipe pipelines/job pipelines/finetune
  pipelines/export pipelines/library pipelines/serve pipelines/commands pipelines
'
find framework stages pipelines -type f \( -name '*.h' -o -name '*.cc' -o -name '*.cu' \) -print0 | sort -z |
  xargs -0 grep -HoE '^#include "(framework|stages|pipelines)/[^"]+"' |
  awk -F '(:#include )?"' -v order="$order" '
    function folder(path) {sub("/[^/]*$", "", path); return path}
    function complain(text) {complaints = complaints text "\n"}
    BEGIN {
      count = split(order, rooms, /[ \n]+/)
      for (i = 1; i <= count; i++) if (rooms[i] != "") place[rooms[i]] = i
    }
    {
      room = folder($1); included = folder($2)
      is_there[room] = is_there[included] = 1
      if (room == included || (room, included) in seen) next
      seen[room, included] = $1 " includes " $2
    }
    END {
      for (room in is_there) {
        if (!(room in place)) complain(room "/ has no place in the order of tests/folders_test.sh: give it one")
      }
      for (i = 1; i <= count; i++) {
        room = rooms[i]
        if (room == "") continue
        if (!(room in is_there)) complain(room "/ of tests/folders_test.sh includes nothing, or is not there: remove it")
        printf "%s ->", room
        for (k = 1; k <= count; k++) if ((room, rooms[k]) in seen) printf " %s", rooms[k]
        print ""
      }
      for (pair in seen) {
        split(pair, ends, SUBSEP)
        if (!(ends[1] in place) || !(ends[2] in place) || place[ends[2]] < place[ends[1]]) continue
        complain(seen[pair] ", but " ends[2] "/ stands behind " ends[1] "/" ((ends[2], ends[1]) in seen ? \
          "; " seen[ends[2], ends[1]] ": a circle" : ""))
      }
      printf "%s", complaints
      exit complaints != ""
    }'
