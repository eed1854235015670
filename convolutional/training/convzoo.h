/* convzoo.h - convzoo inside another program: the one header that is installed, plain C11, and C++ as well.
 *
 *     ConvzooError error;
 *     ConvzooModelOptions options = { .architecture = "resnet18", .classes = 10, .side = 32 };
 *     ConvzooModel *model = convzoo_model_new(&options, &error);
 *     ConvzooTraining *training = convzoo_training_new(model, 64, NULL, &error);
 *     for (...)                                                  // your own batches
 *         convzoo_training_step(training, images, labels, 0.0f, NULL, &error);
 *     convzoo_training_free(training);
 *     convzoo_model_save(model, "best.safetensors", &error);     // evaluate, predict and PyTorch read it too
 *     convzoo_model_free(model);
 *
 * convzoo_run is the whole of the program `train` in one call: data from disk, epochs, checkpoints, resume.
 *
 * Build:    cc -std=c11 program.c $(pkg-config --cflags --libs convzoo)
 *           or CMake: find_package(convzoo), target_link_libraries(program convzoo::convzoo)
 *
 * Options   are structs in which 0 or NULL means the usual value, so `= { 0 }` and named members are enough. Where 0 would be a
 *           choice of its own, a negative number says "none".
 * Images    are N C H W: n images one after another, each with its channels' planes, each plane row by row.
 *           Floats are normalised: (value / 255 - mean[c]) / std[c]. convzoo_model_normalise does that from bytes.
 * Errors    are values. A function that can fail returns 0 (CONVZOO_OK) or a ConvzooCode, or NULL for a handle, and fills the
 *           ConvzooError (which may be NULL) with the code and one line, `what: where: what to do`; where that names an option of
 *           the program train (--img-size), the member of that meaning is what to change. After a failure nothing has
 *           changed unless said otherwise. Where memory runs out (CONVZOO_MEMORY), what the call had taken by then is lost, and a
 *           run's folder stays locked until the process ends. Three things end the process, after a line on stderr: memory that
 *           runs out in one of the threads that share a loop (exit status 5); and, with abort, a model that is freed before its
 *           training, and what only a fault in convzoo can cause.
 * Memory    that a function fills is the caller's. Texts and handles that it returns belong to the library: a text of a model
 *           stays until the model is freed, lists and the version for ever.
 * Locale    Numbers in files and messages have a point, whatever the caller's locale, which stays as it is. Callbacks run under it.
 * Threads   Work is shared among OpenMP threads; .threads says how many (0: as many as OpenMP would use, usually one a core); a
 *           model keeps to that number, and the caller's own OpenMP settings stay as they are. Call from outside of parallel
 *           regions. All handles together are used by one thread at a time: where several threads call convzoo_*, put a
 *           mutex around the calls. Functions without a handle argument but convzoo_run may be called at any time.
 * A busy    machine: threads that wait for each other spin, and where another program needs the cores that is slow by an
 * machine   order of magnitude. libgomp reads how long to spin before main() begins, so a program must be *started* with
 *           GOMP_SPINCOUNT=1000 in its environment (costs nothing on an idle machine; OMP_WAIT_POLICY=passive does not spin
 *           at all and is slower for small networks). Either your starting script sets it, or the program starts itself
 *           again, as the first thing in main:
 *
 *               if (!getenv("GOMP_SPINCOUNT") && !getenv("OMP_WAIT_POLICY")) {
 *                   setenv("GOMP_SPINCOUNT", "1000", 1);
 *                   execv("/proc/self/exe", argv);            // comes back only if it fails: then go on without
 *               }
 *
 *           Fewer threads than cores (.threads) leave room for others.
 * Fork      After a call that computed, a child made by fork() must not call convzoo before exec: OpenMP's threads are not there. */

#ifndef CONVZOO_H
#define CONVZOO_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ---- */

typedef enum ConvzooCode {
    CONVZOO_OK       = 0,
    CONVZOO_USAGE    = 2,       /* an unknown name, or a value that cannot be */
    CONVZOO_INPUT    = 3,       /* a file that cannot be used */
    CONVZOO_FOLDER   = 4,       /* a run's folder: busy or not writable */
    CONVZOO_MEMORY   = 5,       /* not enough memory */
    CONVZOO_DIVERGED = 6,       /* loss, gradient or logits are not finite */
    CONVZOO_WRITE    = 7,       /* a file could not be written */
    CONVZOO_STOPPED  = 128,     /* convzoo_run: *stop was set; the run is saved and may be resumed */
} ConvzooCode;

typedef struct ConvzooError {
    int  code;                  /* a ConvzooCode */
    char text[1024];            /* one line without a newline, control characters shown as \xHH */
} ConvzooError;

/* ---- what there is ---- */

/* "0.1.0" */
const char *convzoo_version(void);
/* Names separated by spaces: "lenet baseline alexnet ...", "identity relu ...", "sgd adamw nesterov ...". */
const char *convzoo_architectures(void);
const char *convzoo_activations(void);
const char *convzoo_optimizers(void);

/* ---- a model: a network with its parameters, and what its images are like ---- */

typedef struct ConvzooModel ConvzooModel;

typedef struct ConvzooModelOptions {
    const char *architecture;           /* one of convzoo_architectures(); required */
    const char *activation;             /* "gelu", "leaky_relu:0.2"; NULL: the architecture's own */
    int         classes;                /* 1 .. 65536; required */
    const char *const *class_names;     /* `classes` texts, printable UTF-8, none empty, no two alike; NULL: "0", "1", ... Copied. */
    int         channels;               /* 1 or 3; 0: 3 */
    int         side;                   /* images are side x side; 0: 32. Each architecture has a least one. */
    float       mean[3], std[3];        /* of each channel, for pixels in 0..1; std of 0: mean 0, std 1 for every channel */
    uint64_t    seed;                   /* parameters start from it: the same seed, the same values */
    int         threads;                /* 0: as many as OpenMP would use */
} ConvzooModelOptions;

/* What a model is; filled by convzoo_model_about. */
typedef struct ConvzooModelAbout {
    const char *architecture, *activation;
    int         classes, channels, side;
    float       mean[3], std[3];
    uint64_t    parameters;             /* values that are trained */
} ConvzooModelAbout;

/* A network with fresh parameters, ready to train: that of the architecture's recipe, for images of this side. NULL on error: CONVZOO_USAGE. Free it with
 * convzoo_model_free. */
ConvzooModel *convzoo_model_new(const ConvzooModelOptions *options, ConvzooError *error);

/* A network from a checkpoint: a run's folder for its best.safetensors, or what convzoo_model_save wrote. NULL on error: CONVZOO_INPUT. */
ConvzooModel *convzoo_model_load(const char *path, int threads, ConvzooError *error);

/* Writes parameters, classes, mean and std; the file is replaced whole or not at all, and read back to be sure. CONVZOO_WRITE,
 * or CONVZOO_DIVERGED if a parameter is not finite. */
int convzoo_model_save(ConvzooModel *model, const char *path, ConvzooError *error);

/* Frees it; its training first (convzoo_training_free). NULL is fine. */
void convzoo_model_free(ConvzooModel *model);

void convzoo_model_about(const ConvzooModel *model, ConvzooModelAbout *about);

/* The name of class 0 .. classes - 1; NULL for any other number. */
const char *convzoo_model_class(const ConvzooModel *model, int index);

/* `count` images of bytes (count x channels x side x side, planes) to normalised floats of the same shape. */
void convzoo_model_normalise(const ConvzooModel *model, const unsigned char *bytes, int count, float *images);

/* An image file (PNG, JPEG, BMP, GIF, TGA, PNM), scaled, cropped in the middle and normalised as in training and `predict`, to
 * channels x side x side floats. CONVZOO_INPUT. */
int convzoo_model_read_image(const ConvzooModel *model, const char *path, float *image, ConvzooError *error);

/* Inference: `count` normalised images to count x classes logits. Compiled for a batch of `count`, at most 64, when first
 * called and whenever that changes (milliseconds to a second): keep to one count where speed matters. Of a model that is also
 * trained, begin the training first: the first of the two decides how the parameters lie in memory.
 * CONVZOO_USAGE if count < 1, or if an image is not finite: logits of images before it may be written. CONVZOO_DIVERGED, with the logits
 * written, if one of them is not finite. */
int convzoo_model_logits(ConvzooModel *model, const float *images, int count, float *logits, ConvzooError *error);

/* One image file to `classes` probabilities: read_image, logits, softmax of the logits divided by the temperature that evaluate
 * --fit-temperature kept in the checkpoint, if it did; training forgets that. CONVZOO_INPUT, CONVZOO_DIVERGED. */
int convzoo_model_predict(ConvzooModel *model, const char *path, float *probabilities, ConvzooError *error);

/* Logits to probabilities that sum to 1, rows x classes of each; the two may be the same memory. */
void convzoo_softmax(const float *logits, int rows, int classes, float *probabilities);

/* ---- training on batches of the caller's ---- */

/* 0 or NULL: what the architecture's recipe says, else the usual value (in brackets). */
typedef struct ConvzooOptimizer {
    const char *name;                   /* one of convzoo_optimizers(); NULL: the recipe's */
    float       lr;                     /* learning rate */
    float       weight_decay;           /* negative: none */
    float       momentum;               /* of those that keep a share of the last step [the optimizer's: sgd 0.9]; negative: none */
    int         no_nesterov;            /* sgd, muon: 1 for plain momentum */
    float       beta1, beta2, eps;      /* of those that keep averages [the optimizer's: adamw 0.9, 0.999, 1e-8] */
    float       clip_norm;              /* gradients are scaled down to this norm; negative: never */
    float       label_smoothing;        /* negative: none */
} ConvzooOptimizer;

typedef struct ConvzooTraining ConvzooTraining;

typedef struct ConvzooStep {
    double loss;                        /* the batch's mean cross-entropy, before the update */
    double accuracy;                    /* 0..1, of the same logits */
    double gradient_norm;               /* before clipping */
} ConvzooStep;

/* Compiles the model for training on `batch` images at a time; options NULL: the recipe. One training a model at a time; it must be
 * freed before the model. NULL on error: CONVZOO_USAGE. The learning rate stays as it is given: a schedule is the
 * caller's, through the step's lr. */
ConvzooTraining *convzoo_training_new(ConvzooModel *model, int batch, const ConvzooOptimizer *options, ConvzooError *error);

/* One step on exactly `batch` normalised images and their labels 0 .. classes - 1: forward, backward, update of the model.
 * lr 0: the optimizer's. step, unless NULL, is told how it went. CONVZOO_USAGE for a label that cannot be; CONVZOO_DIVERGED, the
 * parameters unchanged, if loss or gradient are not finite: lower lr (batch norms' running statistics have seen the batch). */
int convzoo_training_step(ConvzooTraining *training, const float *images, const int *labels, float lr, ConvzooStep *step,
                          ConvzooError *error);

/* The model keeps what it has learnt. NULL is fine. */
void convzoo_training_free(ConvzooTraining *training);

/* ---- a whole run, as the program `train` does it ---- */

/* Where a run stands, once a step, and with `epoch_ended` once an epoch. */
typedef struct ConvzooProgress {
    int      epoch, epochs;             /* from 1 */
    uint64_t step, steps;               /* done, of how many in the run */
    double   loss, accuracy;            /* of training, over the epoch so far */
    double   images_per_second, seconds_left;
    int      epoch_ended;               /* 1: the members below hold, for the validation images */
    double   val_loss, val_accuracy;
    int      is_best;                   /* best.safetensors is of this epoch */
} ConvzooProgress;

typedef struct ConvzooRunOptions {
    const char *architecture;           /* required */
    const char *activation;             /* NULL: the architecture's own */
    const char *data;                   /* as train --data: a folder of class folders, CIFAR, IDX, "shapes"; required */
    const char *folder;                 /* where log.jsonl, last.safetensors and best.safetensors go; required */
    int         resume;                 /* 1: go on in `folder`, also with a run of `train`; the other options must be as they were.
                                           `train` cannot go on with a run of convzoo_run: it looks for its args.json */
    int         epochs, batch;          /* 0: the recipe's, 128 */
    int         side, channels;         /* 0: as the data is */
    float       val_split;              /* share held out for validation where the data has no part of its own; 0: 0.1 */
    uint32_t    limit;                  /* use only so many images of each part; 0: all */
    ConvzooOptimizer optimizer;
    uint64_t    seed;
    int         threads;
    /* Told, if not NULL, on the calling thread; they must not call convzoo_*. A note is a line about the run, or a warning. */
    void      (*progress)(void *context, const ConvzooProgress *progress);
    void      (*note)(void *context, const char *text);
    void       *context;
    const volatile sig_atomic_t *stop;  /* not 0: finish the step, save, return CONVZOO_STOPPED. May be set by a signal handler or
                                           another thread, or in a callback. NULL: never */
} ConvzooRunOptions;

typedef struct ConvzooRunResult {
    double best_accuracy;               /* on the validation images; negative: no epoch has ended */
    int    best_epoch;                  /* from 1 */
    char   best_path[4096];             /* <folder>/best.safetensors, for convzoo_model_load */
} ConvzooRunResult;

/* Trains until every epoch is done, *stop is set, or something fails. result may be NULL; it is filled whenever the run got
 * under way. CONVZOO_OK, CONVZOO_STOPPED, or any other code; the run's folder holds the last state that could be saved. */
int convzoo_run(const ConvzooRunOptions *options, ConvzooRunResult *result, ConvzooError *error);

#ifdef __cplusplus
}
#endif

#endif
