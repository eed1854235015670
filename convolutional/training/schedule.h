/* schedule.h - the learning rate as a pure function of the step.
 *
 * Up linearly over warm-up: warmup_lr + (lr - warmup_lr) (step + 1) / warmup. Then, with done = (step - warmup) / (steps - warmup),
 *   cosine     min + (lr - min) (1 + cos(pi done)) / 2     Loshchilov and Hutter, arXiv:1608.03983
 *   step       lr rate^floor(step / decay_steps)
 *   constant   lr
 *   linear     min + (lr - min) (1 - done)
 *   multistep  lr rate^(how many of the milestones, in epochs, are over)
 *   poly       min + (lr - min) (1 - done)^power
 *   exp        lr rate^((step - warmup) / decay_steps)
 *   plateau    lr rate^drops, not below min; PlateauState counts the drops
 * and without warm-up, with shares of lr at the start and at the end and of the steps until the peak,
 *   onecycle   start, up to 1 and down to end, along cosines     Smith and Topin, arXiv:1708.07120; PyTorch's form
 *   triangle   the same along straight lines                     Page, 2018 */

#ifndef CONVZOO_SCHEDULE_H
#define CONVZOO_SCHEDULE_H

#include <stdint.h>

#include "errors.h"

typedef enum {
#define X(key, ...) SCHEDULE_##key,
#include "schedules.def"
#undef X
    SCHEDULE_COUNT
} ScheduleKind;

enum { SCHEDULE_MILESTONES = 16 };

/* What only some schedules ask for. A new one's own parameter is a field here. */
typedef struct ScheduleOptions {
    float  warmup_lr;          /* where warm-up starts */
    float  power;              /* poly */
    double milestones[SCHEDULE_MILESTONES];      /* multistep: epochs, rising; then 0 */
    float  start, peak, end;   /* onecycle, triangle: shares; below 0: the schedule's usual ones */
    int    patience;           /* plateau: epochs without a better loss before the rate falls */
} ScheduleOptions;

/* How the validation's losses went so far. {0}: none yet. */
typedef struct PlateauState {
    double   best;
    uint64_t begun;            /* whether there was a loss */
    uint64_t waited, drops;    /* losses since the best or the last drop; drops of the rate */
} PlateauState;

/* After one more epoch's loss. A better one is lower by a ten-thousandth of the best; after more than `patience` others the rate
 * drops. As PyTorch's ReduceLROnPlateau; one that is not finite is no better. */
PlateauState plateau_after(PlateauState state, double loss, int patience);

typedef struct Schedule {
    ScheduleKind kind;
    float    lr, min_lr;
    uint64_t steps;            /* of the whole run */
    uint64_t epoch_steps;      /* of an epoch */
    uint64_t warmup;           /* steps */
    uint64_t decay_steps;      /* step, exp: how often */
    float    decay_rate;       /* step, exp, multistep, plateau: by what, 0.1 */
    ScheduleOptions options;
    PlateauState    plateau;   /* the one thing that is no constant of the run */
} Schedule;

float       schedule_lr(const Schedule *schedule, uint64_t step);
/* Whether the schedule rises by itself: then there is no warm-up. */
bool        schedule_rises(ScheduleKind kind);
const char *schedule_names(void);
const char *schedule_name(ScheduleKind kind);
bool        schedule_parse(const char *name, ScheduleKind *kind, Error *error);

/* "30,60,80" into milestones, and back; "": none. */
bool        milestones_parse(const char *text, double *milestones, Error *error);
const char *milestones_text(const double *milestones, char *text, size_t size);

#endif
