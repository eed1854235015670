/* steps.h - the steps of an augmentation, from augmentations.def: what each is called, takes and does. */

#ifndef CONVZOO_STEPS_H
#define CONVZOO_STEPS_H

#include "canvas.h"
#include "mix.h"
#include "random.h"

/* Words of steps that options have as well: of crop, in the order of CanvasPadding, and of erase, of CanvasFill. */
#define PAD_WORDS   "mean reflect edge"
#define ERASE_WORDS "const rand pixel"

enum { STEP_NUMBERS = 4, STEP_MOST_CHAINS = 8 };

/* What a step draws from. Streams are of this step alone: another step before or behind changes nothing. */
typedef struct Draw {
    Random   random;                   /* of (seed, epoch, sample, step) */
    Random   sample;                   /* of (seed, sample, step): the same in every epoch */
    uint32_t epoch;
} Draw;

typedef void StepApply(Canvas *canvas, const Step *step, Draw *draw);

typedef struct StepNumber {
    const char *name;                  /* "pixels" */
    float       least, most, usual;
    bool        whole;
} StepNumber;

typedef struct StepInfo {
    const char *key;                   /* "crop" */
    const char *aliases;               /* space-separated; NULL: none */
    const char *about;                 /* what becomes of an image, or of how many */
    StepNumber  numbers[STEP_NUMBERS]; /* the first without a name ends them */
    const char *words;                 /* one of these may stand beside the numbers: "mean reflect edge", the first by itself; NULL: none */
    StepApply  *apply;                 /* one of the two: an image alone, or a batch */
    StepMix    *mix;
} StepInfo;

/* A row with its values. */
struct Step {
    const StepInfo *info;
    float numbers[STEP_NUMBERS];
    int   word;                        /* which of info->words */
    float rate;                        /* the share of the images, or of the batches, that the step is for */
};

int             step_count(void);
const StepInfo *step_at(int index);    /* in the order of augmentations.def */
int             step_number_count(const StepInfo *info);

/* How it is written: "crop:pixels,mean|reflect|edge"; returns text. */
const char *step_form(const StepInfo *info, char *text, size_t size);

/* All keys, space-separated. */
const char *step_names(void);

#define STEP(key, ...) StepApply step_##key;
#define MIX(key, ...)  StepMix mix_##key;
#include "augmentations.def"
#undef STEP
#undef MIX

#endif
