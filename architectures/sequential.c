/* sequential.c - see sequential.h. */

#include "sequential.h"

#include "errors.h"

const char *layer_next(int *at)
{
    static const char *const names[] = {
        "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23",
        "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47",
    };
    const int count = sizeof names / sizeof *names;
    CHECK(*at < count, "a sequence of %d layers, at most %d", *at + 1, count);
    return names[(*at)++];
}
