/* plateau.c - tells the plateau schedule how the validation's losses go. */

#include "trainer.h"

static void *plateau_open(Trainer *t)
{
    return t->options.schedule == SCHEDULE_plateau ? &t->schedule.plateau : NULL;
}

static void plateau_keep(void *state, Kept *kept)
{
    PlateauState *p = state;
    kept_real(kept, "plateau.best", &p->best);
    kept_whole(kept, "plateau.begun", &p->begun);
    kept_whole(kept, "plateau.waited", &p->waited);
    kept_whole(kept, "plateau.drops", &p->drops);
}

static void plateau_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    PlateauState *p = state;
    const uint64_t drops = p->drops;
    *p = plateau_after(*p, epoch->val_loss, t->options.schedule_options.patience);
    if (p->drops > drops)
        trainer_note(t, "the loss has stopped falling: lr is %g from epoch %u on", (double)schedule_lr(&t->schedule, t->state.step),
                     epoch->epoch + 2);
}

const RunPart part_plateau = { .key = "plateau", .open = plateau_open, .keep = plateau_keep, .after_epoch = plateau_after_epoch };
