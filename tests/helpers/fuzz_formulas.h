/* fuzz_formulas.h - formulas that nobody would type: what the parser and all behind it must bear. */

#ifndef CONVZOO_TEST_FUZZ_FORMULAS_H
#define CONVZOO_TEST_FUZZ_FORMULAS_H

#include <stdint.h>

typedef struct FuzzTally {
    long parsed, refused, differentiated, run;
} FuzzTally;

/* Inputs `first` to `first + count - 1` of a seed: known and random formulas, cut, spliced, doubled, with bytes and words changed. Each is
 * parsed; what parses is printed and parsed again, differentiated, evaluated, compiled and run. Aborts at a text that parses to
 * something else, an error without a message or a caret, or whatever a sanitizer finds. */
FuzzTally fuzz_formulas(uint64_t seed, long first, long count);

#endif
