/* stages.h - progressive resizing: the sizes of training images over a run's epochs.
 *
 * A text such as "16:2,24:2,32": two epochs at 16 x 16, two at 24 x 24, and the rest at 32 x 32. Validation always sees the images
 * at their full size. The networks of all sizes train one set of parameters (parameters_borrow); their programs are compiled, and
 * their images scaled, before training begins. */

#ifndef CONVZOO_STAGES_H
#define CONVZOO_STAGES_H

#include "loader.h"
#include "program.h"
#include "slices.h"

enum { STAGES_MOST = 8, STAGES_TEXT = 128 };

typedef struct Trainer Trainer;

/* All zero: images have their full size in every epoch. */
typedef struct StageSizes {
    int count;
    struct { int side, epochs; } of[STAGES_MOST];      /* epochs 0: the last one, for the rest; without one, the rest has the full size */
} StageSizes;

bool        stage_sizes_parse(const char *text, StageSizes *sizes, Error *error);
const char *stage_sizes_text(const StageSizes *sizes, char *text, size_t size);      /* "" for none; returns text */

/* What trains at one size. */
typedef struct Stage {
    int      side;
    uint32_t epochs;         /* 0: the rest */
    Network *network;        /* the trainer's own, or of another size with its parameters */
    Program *program;
    Program *lanes[SLICES_LANES];      /* of one thread each, which run at the same time; the first is `program`. NULL: it has all threads */
    Dataset *images;         /* likewise; only its pixels are the stage's own */
    Loader  *loader;
} Stage;

typedef struct Stages {
    int   count, current;    /* current: of the trainer's program and loader */
    Stage of[STAGES_MOST + 1];
} Stages;

/* Builds the networks. False and a line, a user's, if one cannot be built, trained, or has other parameters than the full size's. */
bool stages_build(Trainer *trainer, Error *error);
/* Compiles the programs and opens the loaders; the trainer's are the first stage's. */
void stages_compile(Trainer *trainer);
/* The same programs anew, for what is frozen now. */
void stages_recompile(Trainer *trainer);
/* Tells the sizes, and the memory that they take. */
void stages_tell(const Trainer *trainer);
/* Makes the trainer's program and loader those of the epoch, and tells when they change. */
void stages_epoch(Trainer *trainer, uint32_t epoch);
void stages_close(Trainer *trainer);

/* Of the programs' arenas. */
size_t stages_program_bytes(const Trainer *trainer);

#endif
