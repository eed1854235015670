/* schedule.h - the learning rate as a pure function of the step.
 *
 * Up linearly over warm-up: lr (step + 1) / warmup. Then
 *   cosine     min + (lr - min) (1 + cos(pi (step - warmup) / (steps - warmup))) / 2     Loshchilov and Hutter, arXiv:1608.03983
 *   step       lr rate^floor(step / decay_steps)
 *   constant   lr */

#ifndef CONVZOO_SCHEDULE_H
#define CONVZOO_SCHEDULE_H

#include <stdint.h>

#include "errors.h"

typedef enum { SCHEDULE_cosine, SCHEDULE_step, SCHEDULE_constant, SCHEDULE_COUNT } ScheduleKind;

typedef struct Schedule {
    ScheduleKind kind;
    float    lr, min_lr;
    uint64_t steps;            /* of the whole run */
    uint64_t warmup;           /* steps */
    uint64_t decay_steps;      /* step: how often */
    float    decay_rate;       /* step: by what, 0.1 */
} Schedule;

float       schedule_lr(const Schedule *schedule, uint64_t step);
const char *schedule_names(void);
const char *schedule_name(ScheduleKind kind);
bool        schedule_parse(const char *name, ScheduleKind *kind, Error *error);

#endif
