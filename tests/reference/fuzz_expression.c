/* fuzz_expression.c - formulas that nobody would type, by the million.
 *
 *   cmake -B build-fuzz -DSANITIZE=ON && cmake --build build-fuzz --target fuzz_expression
 *   build-fuzz/fuzz_expression SEED FIRST COUNT
 *
 * The inputs follow from the seed and their number: what a sanitizer finds is found again from there. The suite runs some
 * thousands (test_expression). */

#include <stdio.h>
#include <stdlib.h>

#include "fuzz_formulas.h"

int main(int argc, char *argv[])
{
    enum { PORTION = 100000 };
    if (argc != 4) {
        fprintf(stderr, "usage: fuzz_expression SEED FIRST COUNT\n");
        return 2;
    }
    const uint64_t seed = strtoull(argv[1], NULL, 10);
    const long first = strtol(argv[2], NULL, 10), count = strtol(argv[3], NULL, 10);
    FuzzTally all = {0};
    for (long at = first; at < first + count; at += PORTION) {
        const FuzzTally part = fuzz_formulas(seed, at, first + count - at < PORTION ? first + count - at : PORTION);
        all.parsed += part.parsed;
        all.refused += part.refused;
        all.differentiated += part.differentiated;
        all.run += part.run;
        printf("to %ld: %ld parsed, %ld refused, %ld derivatives, %ld codes run\n", at + PORTION < first + count ? at + PORTION : first + count, all.parsed,
               all.refused, all.differentiated, all.run);
        fflush(stdout);
    }
    return 0;
}
