/* tried_options.h - options that other trainers have and this one does not, each with what to do instead. */

#ifndef CONVZOO_TRIED_OPTIONS_H
#define CONVZOO_TRIED_OPTIONS_H

typedef struct TriedOption {
    const char *names;      /* space-separated; a single letter is a short option. NULL ends a table */
    const char *answer;     /* the rest of a line */
} TriedOption;

extern const TriedOption tried_in_training[];
extern const TriedOption tried_on_a_checkpoint[];      /* evaluate and predict */

/* The answer to an option of this name, without its dashes, from the table (may be NULL) or from what no program has.
 * NULL: there is none. */
const char *tried_option(const TriedOption *table, const char *name);

#endif
