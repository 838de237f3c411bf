/* libweir: what a model trained by weir says of a picture, the same bits as `weir predict`.
 *
 *   weir_model* model;
 *   weir_workspace* workspace;
 *   weir_error error;
 *   float probabilities[2];
 *   if (weir_open("first/model", 64 << 20, &model, &error) != WEIR_OK) fail(error.text);
 *   if (weir_workspace_new(model, &workspace, &error) != WEIR_OK) fail(error.text);
 *   weir_picture picture = weir_picture_at("photo.jpg");
 *   if (weir_classify(workspace, &picture, probabilities, &error) != WEIR_OK) fail(error.text);
 *
 * What is held is leased from the byte budget of the model: its weights, a workspace for each
 * thread, and what reading a picture takes, which is known from its header before it is read.
 * Beside it come the libraries themselves, and the kernels that oneDNN compiles (some MiB).
 *
 * A model is immutable: any number of threads may use one, each with a workspace of its own, which
 * one thread at a time uses. No thread is started. There is no state but what is returned here; a
 * model ends after its workspaces. Nothing is thrown, nothing is printed.
 *
 * Sizes are in bytes; strings are UTF-8, and end with what they are of.
 */
/* NOLINTBEGIN: names, headers and typedefs are C's */
#ifndef WEIR_WEIR_H_
#define WEIR_WEIR_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum weir_status {
  WEIR_OK = 0,
  WEIR_BAD_ARGUMENT = 1, /* a null pointer, a size that cannot be */
  WEIR_BAD_MODEL = 2,    /* no model, or its files are damaged or do not belong together */
  WEIR_BAD_PICTURE = 3,  /* not a picture that weir reads, cut off, corrupt, gone */
  WEIR_NO_ROOM = 4,      /* the budget, or the machine's memory, has no room for it now */
  WEIR_UNSUPPORTED = 5,  /* this processor cannot compute what the model wants, or its pictures
                            were made ready by a stage that is not weir's own: it takes pixels of
                            its size alone */
  WEIR_INTERNAL = 6      /* a fault in libweir */
} weir_status;

/* Why a call failed, in words: what is wrong, and on a line of its own what to do. Every call that
 * takes one may be given NULL. A text that is longer is cut. */
typedef struct weir_error {
  char text[1024];
} weir_error;

typedef struct weir_model weir_model;
typedef struct weir_workspace weir_workspace;

/* "0.1.0". */
const char* weir_version(void);

/* Opens a model folder: the `model/` of a run, with model.json and model.safetensors. Of
 * `budget_bytes` its weights are held from now on. */
weir_status weir_open(const char* folder, size_t budget_bytes, weir_model** model,
                      weir_error* error);
/* Ends a model, whose workspaces have ended. NULL is none. */
void weir_close(weir_model* model);

int weir_class_count(const weir_model* model);
/* From 0; NULL where there is none of that number. Ends with the model. */
const char* weir_class_name(const weir_model* model, int index);
/* The size that pictures are brought to. */
int weir_input_height(const weir_model* model);
int weir_input_width(const weir_model* model);
/* How many values weir_features() gives. */
size_t weir_feature_count(const weir_model* model);
/* Of the budget: what is held now, and what was at most. */
size_t weir_held_bytes(const weir_model* model);
size_t weir_peak_bytes(const weir_model* model);

/* What one thread works with; held in the budget until it ends. */
weir_status weir_workspace_new(weir_model* model, weir_workspace** workspace, weir_error* error);
void weir_workspace_free(weir_workspace* workspace);

typedef enum weir_picture_kind {
  WEIR_PICTURE_PATH = 0,  /* a file */
  WEIR_PICTURE_BYTES = 1, /* a file's bytes, in memory */
  WEIR_PICTURE_RGB = 2    /* pixels: rows of red, green, blue, a byte each */
} weir_picture_kind;

/* A picture, which stays the caller's, unchanged until the call returns. Pixels are brought to the
 * model's size as a decoded file is; where they are as large as the file's, answers may differ from
 * the file's in the last digits, as a JPEG is made smaller while it is decoded. */
typedef struct weir_picture {
  int kind; /* a weir_picture_kind */
  const char* path;
  const void* bytes; /* of the file, or the first pixel */
  size_t size;       /* of the file */
  int width, height; /* in pixels */
  size_t stride;     /* from one row to the next */
} weir_picture;

static inline weir_picture weir_picture_at(const char* path) {
  weir_picture picture = {WEIR_PICTURE_PATH, path, NULL, 0, 0, 0, 0};
  return picture;
}
static inline weir_picture weir_picture_in(const void* bytes, size_t size) {
  weir_picture picture = {WEIR_PICTURE_BYTES, NULL, bytes, size, 0, 0, 0};
  return picture;
}
static inline weir_picture weir_picture_of(const uint8_t* rgb, int width, int height,
                                           size_t stride) {
  weir_picture picture = {WEIR_PICTURE_RGB, NULL, rgb, 0, width, height, stride};
  return picture;
}

/* Writes a probability for each class. After a failure they are what they were, and the workspace
 * may be used again. */
weir_status weir_classify(weir_workspace* workspace, const weir_picture* picture,
                          float* probabilities, weir_error* error);

/* Writes what the model's head is fed, weir_feature_count() values: [C], or [h, w, C] where the
 * head does not begin by pooling. */
weir_status weir_features(weir_workspace* workspace, const weir_picture* picture, float* features,
                          weir_error* error);

typedef struct weir_prediction {
  int index;        /* of the class */
  const char* name; /* ends with the model */
  float probability;
} weir_prediction;

/* Writes the `count` most probable classes, the first the most, ties by index; gives how many there
 * are, which are fewer where the model has not so many. */
int weir_top(const weir_model* model, const float* probabilities, int count,
             weir_prediction* predictions);

#ifdef __cplusplus
}
#endif

#endif /* WEIR_WEIR_H_ */
/* NOLINTEND */
