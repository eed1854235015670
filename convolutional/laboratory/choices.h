/* choices.h - a guide to activations: for which network which one, with the reason; for which task which output and loss. */

#ifndef CONVZOO_CHOICES_H
#define CONVZOO_CHOICES_H

#include <stdbool.h>

/* Words that a person chooses from; for help and parsing. */
#define CHOICE_NETWORKS "mlp cnn resnet mobile convnext transformer language rnn generator discriminator vae"
#define CHOICE_NORMS    "batch layer none"
#define CHOICE_BUDGETS  "small large"
#define CHOICE_TASKS    "multiclass binary multilabel regression positive bounded image"

typedef struct HiddenChoice {
    const char *networks;          /* that it is for, space-separated; "": all */
    int         depth;             /* layers at least */
    const char *norms, *budgets;   /* "": all */
    const char *activation, *weights, *reason;
} HiddenChoice;

typedef struct OutputChoice {
    const char *task, *activation, *loss, *range, *reason;
} OutputChoice;

int                 choice_hidden_count(void);
const HiddenChoice *choice_hidden_at(int index);
int                 choice_output_count(void);
const OutputChoice *choice_output_at(int index);

/* The first row that fits; the words are of the lists above, or "" where nothing is known. There is always one. */
const HiddenChoice *choice_hidden(const char *network, int depth, const char *norm, const char *budget);
/* NULL: no such task. */
const OutputChoice *choice_output(const char *task);

#endif
