/* stages.h - progressive resizing: networks, programs and images for the sizes of training images over a run's epochs (stage_sizes.h).
 *
 * Validation always sees the images at their full size. The networks of all sizes train one set of parameters (parameters_borrow); their
 * programs are compiled, and their images scaled, before training begins. */

#ifndef CONVZOO_STAGES_H
#define CONVZOO_STAGES_H

#include "loader.h"
#include "program.h"
#include "slices.h"
#include "stage_sizes.h"

typedef struct Trainer Trainer;

/* What trains at one size. */
typedef struct Stage {
    int      side;
    Network *network;        /* the trainer's own, or of another size with its parameters */
    Program *program;
    Program *lanes[SLICES_LANES];      /* of one thread each, which run at the same time; the first is `program`. NULL: it has all threads */
    Dataset *images;         /* likewise; only its pixels are the stage's own */
    Loader  *loader;
} Stage;

/* In the order of the options' sizes, and after them the full size, unless the last of them is for the rest. */
typedef struct Stages {
    int   count, current;    /* current: of the trainer's program and loader */
    Stage of[STAGES_MOST + 1];
    void *arenas[SLICES_LANES];      /* one a lane, in which the programs of all sizes work, and validation's in the first */
} Stages;

/* Builds the networks. False and a line, a user's, if one cannot be built, trained, or has other parameters than the full size's. */
bool stages_build(Trainer *trainer, Error *error);
/* Compiles the programs and opens the loaders; the trainer's are those of the first epoch. */
void stages_compile(Trainer *trainer);
/* Gives the programs, and validation's, which is compiled by now, the memory that they work in. */
void stages_place(Trainer *trainer);
/* The same programs anew, for what is frozen now. */
void stages_recompile(Trainer *trainer);
/* Tells the sizes, and the memory that their images take. */
void stages_tell(const Trainer *trainer);
/* Makes the trainer's program and loader those of a stage. */
void stages_enter(Trainer *trainer, int stage);
/* The same for the stage of an epoch, counted from 0; tells when they change. */
void stages_epoch(Trainer *trainer, uint32_t epoch);
/* What is left of the run, in steps of the current stage's size: larger images count by their multiply-adds. */
double stages_steps_left(const Trainer *trainer);
void stages_close(Trainer *trainer);

/* Of what the programs work in. */
size_t stages_arena_bytes(const Trainer *trainer);

#endif
