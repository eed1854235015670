/* score.c - see score.h. */

#include "score.h"

#include "trials.h"

bool score_run(const ScoreOptions *o, Activation act, uint64_t seed, double *top1, Error *error)
{
    const Architecture *arch = architecture_find(o->arch, error);
    if (!arch)
        return false;
    TrainerOptions options = trainer_defaults(arch, NULL);
    options.network.act = act;
    options.data.path = o->data ? o->data : "shapes";
    options.data.limit = (uint32_t)o->limit;
    options.epochs = o->epochs;
    options.seed = seed;
    options.trial = true;
    Trainer *trainer = trainer_open(&options, error);
    LossSum val = { 0 };
    const int code = trainer ? trials_train(trainer, &val, error) : (int)error->code;
    *top1 = code == EXIT_diverged ? 0 : (double)val.top1 / (val.count ? val.count : 1);
    trainer_close(trainer);
    if (code == EXIT_diverged)      /* a score as others */
        *error = (Error){ 0 };
    return code == EXIT_ok || code == EXIT_diverged;
}
