/* stage_sizes.c - see stage_sizes.h. */

#include "stage_sizes.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_SIDE = 4096, MOST_EPOCHS = 1000000, WHOLE = 100 };

/* ---- as text ---- */

/* A number from 1 to `most`, or a share of at most a hundred percent. */
static bool read_number(const char **at, int most, int *number, bool *percent)
{
    char *end;
    const long value = strtol(*at, &end, 10);
    const bool digits = end != *at && **at >= '0' && **at <= '9';
    *percent = digits && *end == '%';
    const bool ok = digits && value >= 1 && value <= (*percent ? WHOLE : most);
    *number = ok ? (int)value : 0;
    *at = end + *percent;
    return ok;
}

static int percents(const StageSizes *sizes)
{
    int sum = 0;
    for (int i = 0; i < sizes->count; i++)
        sum += sizes->of[i].length_percent ? sizes->of[i].length : 0;
    return sum;
}

bool stage_sizes_parse(const char *text, StageSizes *sizes, Error *error)
{
    StageSizes read = { 0 };
    const char *at = text;
    bool ok = true;
    while (ok && *at) {
        StageSize *size = &read.of[read.count];
        ok = read.count < STAGES_MOST && (read.count == 0 || size[-1].length) && read_number(&at, MOST_SIDE, &size->side, &size->side_percent);
        if (ok && *at == ':') {
            at++;
            ok = read_number(&at, MOST_EPOCHS, &size->length, &size->length_percent);
        }
        read.count++;
        ok = ok && (!*at || (*at == ',' && at[1]));
        at += *at == ',';
    }
    if (!ok)
        return error_set(error, EXIT_usage, "bad value '%.100s': --train-img-size: use up to %d sizes and their epochs, such as 16:2,24:2,32 "
                         "for two epochs at 16, two at 24 and the rest at 32, or shares of the side and of the run, such as 50%%:45%%", text, STAGES_MOST);
    if (percents(&read) > WHOLE)
        return error_set(error, EXIT_usage, "bad value '%.100s': --train-img-size: the shares of the run are %d%%: use at most %d%%", text, percents(&read), WHOLE);
    *sizes = read;
    return true;
}

const char *stage_sizes_text(const StageSizes *sizes, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < sizes->count && at < size; i++) {
        const StageSize *of = &sizes->of[i];
        at += (size_t)snprintf(text + at, size - at, "%s%d%s", i ? "," : "", of->side, of->side_percent ? "%" : "");
        if (of->length && at < size)
            at += (size_t)snprintf(text + at, size - at, ":%d%s", of->length, of->length_percent ? "%" : "");
    }
    return text;
}

bool stage_sizes_are_shares(const StageSizes *sizes)
{
    for (int i = 0; i < sizes->count; i++)
        if (sizes->of[i].length && !sizes->of[i].length_percent)
            return false;
    return true;
}

/* ---- in a run ---- */

int stage_side(StageSize size, int full, int least)
{
    if (!size.side_percent)
        return size.side;
    const int side = (size.side * full + WHOLE / 2) / WHOLE;
    return side >= least ? side : least < full ? least : full;
}

uint32_t stage_sizes_end(const StageSizes *sizes, int index, uint32_t epochs)
{
    uint64_t end = 0;      /* in hundredths of an epoch */
    for (int i = 0; i <= index && i < sizes->count; i++) {
        if (sizes->of[i].length == 0)
            return epochs;
        end += (uint64_t)sizes->of[i].length * (sizes->of[i].length_percent ? epochs : WHOLE);
    }
    return index >= sizes->count || end / WHOLE > epochs ? epochs : (uint32_t)(end / WHOLE);
}

int stage_sizes_at(const StageSizes *sizes, uint32_t epoch, uint32_t epochs)
{
    int index = 0;
    while (index < sizes->count && epoch >= stage_sizes_end(sizes, index, epochs))
        index++;
    return index;
}
