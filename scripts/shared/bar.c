/* bar.c - see bar.h. */

#include "bar.h"

#include "text_width.h"

#include <stdio.h>
#include <string.h>

/* What a line says, from the widest to the narrowest. */
static const struct Level {
    int  cells;
    bool speed, accuracy, loss, steps, epoch;
} levels[] = {
    { 24, true,  true,  true,  true,  true  },
    { 12, true,  true,  true,  true,  true  },
    { 12, false, true,  true,  true,  true  },
    { 0,  false, true,  true,  true,  true  },
    { 0,  false, false, true,  true,  true  },
    { 0,  false, false, false, true,  true  },
    { 0,  false, false, false, false, true  },
    { 0,  false, false, false, false, false },
};

enum { LEVELS = sizeof levels / sizeof *levels };

const char *bar_duration(double seconds, char *text, size_t size)
{
    const long all = seconds < 0.0 ? 0 : seconds > 3.6e9 ? 3600000000L : (long)(seconds + 0.5);
    if (all >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
    else
        snprintf(text, size, "%ld:%02ld", all / 60, all % 60);
    return text;
}

static void write_level(const TrainerStep *step, const struct Level *level, char *text, size_t size)
{
    char cells[32] = "", left[32];
    const uint32_t filled = step->batches ? (uint32_t)level->cells * step->batch / step->batches : 0;
    size_t at = 0;
    text[0] = '\0';
#define ADD(...) at += (size_t)snprintf(text + at, at < size ? size - at : 0, __VA_ARGS__)
    for (int i = 0; i < level->cells; i++)
        cells[i] = (uint32_t)i < filled ? '#' : '.';
    if (level->epoch)
        ADD("epoch %u/%u ", step->epoch + 1, step->epochs);
    if (level->cells)
        ADD("[%s] ", cells);
    if (level->steps)
        ADD("%u/%u  ", step->batch, step->batches);
    if (level->loss)
        ADD("loss %.4f  ", step->loss);
    if (level->accuracy)
        ADD("top1 %.2f%%  ", 100.0 * step->top1);
    if (level->speed)
        ADD("%.0f img/s  ", step->images_per_second);
    ADD("%s left", bar_duration(step->seconds_left, left, sizeof left));
#undef ADD
}

void bar_write(const TrainerStep *step, int columns, char *text, size_t size)
{
    for (int i = 0; i < LEVELS; i++) {
        write_level(step, &levels[i], text, size);
        if (columns == 0 || text_width(text) < columns)
            return;
    }
    text[text_fit(text, columns - 1)] = '\0';
}
