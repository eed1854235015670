/* augment_options.h - an augmentation as a person asks for it: a pipeline's text, or the flags that people know, or both.
 *
 * The flags write steps into the pipeline: --vflip 0.5 is vflip:0.5, --reprob 0.25 is erase:0.25,... (docs/augmentation.md has them all). */

#ifndef CONVZOO_AUGMENT_OPTIONS_H
#define CONVZOO_AUGMENT_OPTIONS_H

#include "pipeline.h"

typedef enum { FLIP_automatic, FLIP_on, FLIP_off, FLIP_alternating, FLIP_alternating_automatic } Flip;      /* automatic: as dataset.h's mirror_ok says */

enum { POLICY_SIZE = 64 };

/* A box of so large a share of the area, enlarged (step resizedcrop), in place of a shift. */
typedef struct ResizedCrop {
    bool  automatic;                     /* for whoever knows the images' size to decide */
    float least, most;                   /* share of the area; 0: off */
    float narrowest, widest;             /* of width to height; 0: the step's usual ones */
} ResizedCrop;

/* All zero: nothing beside crop and flip. */
typedef struct AugmentOptions {
    bool     written;                    /* `steps` replace crop and flip */
    Pipeline steps;
    int      pad_mode;                   /* of crop's words */
    ResizedCrop resized;
    char     policy[POLICY_SIZE];        /* as timm writes it: "rand-m9-n2-mstd0.5-inc1", "ta", "augmix"; "": none */
    float    vflip, rotate, color_jitter, grayscale, blur, noise;
    float    erase, cutout;
    int      erase_boxes, erase_mode;    /* 0: 1; of erase's words */
    float    mixup, cutmix, mix_rate;    /* mix_rate: of the batches */
    int      mix_epochs;                 /* 0: all */
} AugmentOptions;

/* The pipeline that these make, with crops of crop_pad pixels, unless there are resized ones, and a flip ("" for none, else a text such as "hflip:0.5") where none is
 * written. False and one line if they do not go together. */
bool augment_compose(const AugmentOptions *options, int crop_pad, const char *flip, Pipeline *pipeline, Error *error);

/* The step of a policy's name: "rand-m9-n2" is randaugment:9,2. text: POLICY_SIZE bytes; false and a line for a name that is none. */
bool augment_policy(const char *policy, char *text, Error *error);

#endif
