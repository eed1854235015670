/* trainer_step.c - see trainer_step.h. */

#include "trainer_step.h"

#include "clock.h"
#include "kernels.h"
#include "parameters.h"

#include <math.h>
#include <stdlib.h>

/* ---- numbers that are not finite ---- */

static bool is_finite(const Network *network, const float *block, const Param *param)
{
    float *plain = allocate(param->count, sizeof *plain, "a parameter");
    parameters_export(network, block, param, plain);
    const bool finite = isfinite(kernel_sum_of_squares(param->count, plain));
    free(plain);
    return finite;
}

/* The first parameter of a block with a value that is not finite; NULL. */
static const char *first_in_block(Network *network, const KeptBlock *block)
{
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        if (param->role != PARAM_counter && param->role <= block->last && !is_finite(network, kept_values(block, network), param))
            return param->name;
    }
    return NULL;
}

/* Of the weights and statistics, the gradients, then all else that the run keeps. */
static const char *first_not_finite(const Trainer *t, const char **what)
{
    Kept kept = kept_network;
    const Kept parts = parts_keep(t);
    kept_block(&kept, (KeptBlock){ .owner = "gradient", .values = network_parameters(t->network)->gradients, .last = PARAM_plain });
    kept_optimizer(&kept, t->optimizer);
    kept_append(&kept, &parts);
    for (int b = 0; b < kept.block_count; b++) {
        const char *name = first_in_block(t->network, &kept.blocks[b]), *owner = kept.blocks[b].owner;
        *what = owner ? owner : "parameter";
        if (name)
            return name;
    }
    *what = "the logits";
    return NULL;
}

int trainer_diverged(const Trainer *t, uint64_t step, uint32_t epoch, const char *subject, double value, Error *error)
{
    char kept[128] = "nothing was saved yet";
    const char *where, *name = first_not_finite(t, &where);
    if (t->saved_step)
        snprintf(kept, sizeof kept, "kept last.safetensors of step %llu", (unsigned long long)t->saved_step);
    error_set(error, EXIT_diverged, "%s is %s at step %llu (epoch %u, lr %g): %s: first not finite: %s%s%s; %s: "
              "start again with a lower --lr, or with --clip-grad 1", subject,
              isnan(value) ? "NaN" : isinf(value) ? "infinite" : "not finite", (unsigned long long)step, epoch, (double)t->step_lr,
              t->folder ? t->folder->path : t->info.arch, where, name ? " of " : "", name ? name : "", kept);
    return EXIT_diverged;
}

/* ---- a step ---- */

bool trainer_gradients(Trainer *t, const Batch *batch, LossSum *sum, Error *error)
{
    slices_gradients(t, batch);
    for (int i = 0; i < t->slices.share.parts; i++) {
        const PartWord *part = &t->slices.words[i];
        if (!isfinite(part->sum.loss)) {
            trainer_diverged(t, t->state.step + 1, t->state.epoch + 1, "loss", part->sum.loss, error);
            return false;
        }
        t->stop = part->stop > t->stop ? part->stop : t->stop;
        loss_add(sum, &part->sum);
    }
    return true;
}

/* Of each of the step's batches, and what the parts make of them. */
static bool step_gradients(Trainer *t, LossSum *sum, Error *error)
{
    Batch batch;
    for (t->turn = 0; t->turn < t->turns; t->turn++) {
        CHECK(loader_next(t->loader, &batch), "epoch %u has %u steps, batch %u of step %u is missing", t->state.epoch, t->batches,
              t->turn, t->state.batch);
        if (!trainer_gradients(t, &batch, sum, error) || !parts_after_gradients(t, &batch, error))
            return false;
    }
    return true;
}

int trainer_step(Trainer *t, double *gradient_norm, Error *error)
{
    RunState *at = &t->state;
    LossSum sum = { 0 };
    t->step_lr = parts_lr(t, &t->schedule, at->step);
    if (!step_gradients(t, &sum, error))
        return EXIT_diverged;
    *gradient_norm = optimizer_step(t->optimizer, t->step_lr);
    if (!isfinite(*gradient_norm))
        return trainer_diverged(t, t->state.step + 1, t->state.epoch + 1, "gradient norm", *gradient_norm, error);

    t->step_loss = sum.loss / sum.count;
    at->step++;
    at->batch++;
    ranks_at_step(t->options.ranks, at->step);
    parts_after_optimizer(t);
    parts_after_step(t);
    at->loss_sum += sum.loss;
    at->hits += sum.top1;
    at->seen += sum.count;
    t->epoch_images += sum.count;
    return EXIT_ok;
}

int trainer_step_around(Trainer *t, double *gradient_norm, Error *error)
{
    if (t->state.batch == t->batches) {
        t->state.batch = 0;
        loader_start(t->loader, t->state.epoch, 0);
    }
    return trainer_step(t, gradient_norm, error);
}

double trainer_try_validation(Trainer *t, LossSum *sum)
{
    const int rows = program_batch(t->val_program);      /* of one part */
    Batch batch;
    double seconds = 0.0;
    loader_start(t->val_loader, 0, 0);
    for (int i = 0; i < 2 && loader_next(t->val_loader, &batch); i++) {
        const double begin = seconds_now();
        *sum = (LossSum){ 0 };
        program_set_image(t->val_program, batch.images);
        program_forward(t->val_program);
        loss_cross_entropy(program_logits(t->val_program), batch.labels, rows, batch.count < rows ? batch.count : rows,
                           t->info.class_count, 0.0f, NULL, sum);
        seconds = seconds_now() - begin;
    }
    return seconds * t->slices.share.count;
}
