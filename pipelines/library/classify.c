/* classify MODEL PICTURE...: what a model says of pictures, the best class of each on a line.
 *
 *   cc classify.c $(pkg-config --cflags --libs weir-runtime) -o classify
 *   ./classify first/model photo.jpg scan.png
 */
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

int main(int argc, char** argv) {
  weir_model* model;
  weir_workspace* workspace;
  weir_error error;
  if (argc < 3) {
    fprintf(stderr, "usage: %s MODEL PICTURE...\n", argv[0]);
    return 2;
  }
  if (weir_open(argv[1], (size_t)256 << 20, &model, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  float* probabilities = malloc(sizeof(float) * (size_t)weir_class_count(model));
  if (probabilities == NULL || weir_workspace_new(model, &workspace, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  int failed = 0;
  for (int i = 2; i < argc; ++i) {
    const weir_picture picture = weir_picture_at(argv[i]);
    weir_prediction best;
    if (weir_classify(workspace, &picture, probabilities, &error) != WEIR_OK) {
      fprintf(stderr, "%s: %s\n", argv[i], error.text);
      failed = 1;
      continue;
    }
    weir_top(model, probabilities, 1, &best);
    printf("%s: %s %.9g\n", argv[i], best.name, best.probability);
  }
  free(probabilities);
  weir_workspace_free(workspace);
  weir_close(model);
  return failed;
}
