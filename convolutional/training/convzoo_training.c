/* convzoo_training.c - training steps on batches of the caller's, for programs that embed it; see convzoo.h. */

#include "convzoo_own.h"

#include "loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MOST = 65536 };

struct ConvzooTraining {
    ConvzooModel *model;
    Program      *program;
    Optimizer    *optimizer;
    float         lr, label_smoothing;
    uint64_t      steps;           /* done: they key dropout */
    float        *images;          /* what the program reads: a whole batch, checked */
    uint16_t     *labels;
    int           batch;
};

static bool prepare(ConvzooTraining *t, const ConvzooOptimizer *options, TrainerOptions *recipe, Error *error)
{
    if (t->batch < 1 || t->batch > BATCH_MOST)
        return error_set(error, EXIT_usage, "a batch of %d: convzoo_training_new: use 1 to %d", t->batch, BATCH_MOST);
    if (t->model->training)
        return error_set(error, EXIT_usage, "the model is being trained already: convzoo_training_new: free that training first");
    if (!network_trains_with(t->model->model.network, t->batch, error))
        return false;
    return own_recipe(t->model->arch, options, recipe, error);
}

typedef struct NewTraining {
    ConvzooModel           *model;
    int                     batch;
    const ConvzooOptimizer *options;
    ConvzooTraining        *training;
    bool                    done;
    Error                   error;
} NewTraining;

static void make(void *context)
{
    NewTraining *new = context;
    TrainerOptions recipe;
    ConvzooTraining *t = new->training = allocate(1, sizeof *t, "a training");
    *t = (ConvzooTraining){ .model = new->model, .batch = new->batch };
    if (!prepare(t, new->options, &recipe, &new->error))
        return;
    t->program = program_compile(new->model->model.network, &(Plan){ 0 }, PURPOSE_training, new->batch);
    t->optimizer = optimizer_new(new->model->model.network, &recipe.optimizer);
    t->lr = recipe.lr;
    t->label_smoothing = recipe.label_smoothing;
    t->images = program_image(t->program);
    t->labels = allocate((size_t)new->batch, sizeof *t->labels, "labels");
    new->model->model.info.temperature = new->model->model.info.reject_below = 0;      /* found for other weights */
    new->done = true;
}

ConvzooTraining *convzoo_training_new(ConvzooModel *model, int batch, const ConvzooOptimizer *options, ConvzooError *error)
{
    NewTraining new = { .model = model, .batch = batch, .options = options };
    if (!own_call(model->threads, make, &new, &new.error) || !new.done) {
        own_failed(&new.error, error);
        free(new.training);      /* what it points to by then is lost if memory ran out */
        return NULL;
    }
    model->training = true;
    return new.training;
}

static bool copy_batch(ConvzooTraining *t, const float *images, const int *labels, float lr, Error *error)
{
    const int classes = t->model->model.info.class_count;
    if (!isfinite(lr) || lr < 0.0f)
        return error_set(error, EXIT_usage, "a learning rate of %g: convzoo_training_step: use a number above 0, or 0 for the optimizer's",
                         (double)lr);
    for (int i = 0; i < t->batch; i++) {
        if (labels[i] < 0 || labels[i] >= classes)
            return error_set(error, EXIT_usage, "label %d of image %d: convzoo_training_step: the model has classes 0 to %d", labels[i], i,
                             classes - 1);
        t->labels[i] = (uint16_t)labels[i];
    }
    return own_images_copy(t->model, images, t->batch, t->images, error);
}

static bool diverged(const char *subject, double value, Error *error)
{
    return error_set(error, EXIT_diverged, "%s is %s: convzoo_training_step: start again with a lower learning rate, or with clip_norm 1",
                     subject, isnan(value) ? "NaN" : "infinite");
}

static bool train(ConvzooTraining *t, float lr, ConvzooStep *step, Error *error)
{
    LossSum sum = { 0 };
    program_set_step(t->program, t->model->seed, t->steps);
    program_forward(t->program);
    loss_cross_entropy(program_logits(t->program), t->labels, t->batch, t->batch, t->model->model.info.class_count,
                       t->label_smoothing, program_logits_gradient(t->program), &sum);
    if (!isfinite(sum.loss))
        return diverged("the loss", sum.loss, error);
    program_backward(t->program);
    const double norm = optimizer_step(t->optimizer, lr);
    if (!isfinite(norm))
        return diverged("the gradient's norm", norm, error);
    t->steps++;
    if (step)
        *step = (ConvzooStep){ .loss = sum.loss / t->batch, .accuracy = (double)sum.top1 / t->batch, .gradient_norm = norm };
    return true;
}

int convzoo_training_step(ConvzooTraining *t, const float *images, const int *labels, float lr, ConvzooStep *step,
                          ConvzooError *error)
{
    Error wrong;
    const OwnCaller before = own_enter(t->model->threads);
    const bool done = copy_batch(t, images, labels, lr, &wrong) && train(t, lr > 0.0f ? lr : t->lr, step, &wrong);
    own_leave(before);
    return done ? CONVZOO_OK : own_failed(&wrong, error);
}

void convzoo_training_free(ConvzooTraining *t)
{
    if (!t)
        return;
    t->model->training = false;
    optimizer_free(t->optimizer);
    program_free(t->program);
    free(t->labels);
    free(t);
}
