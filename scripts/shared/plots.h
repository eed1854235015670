/* plots.h - train --plots: curves.png and rates.png in the run's folder, drawn again as the run goes on.
 *
 * They are drawn after an epoch if that takes at most a fiftieth of the time since they were drawn last, and at the end. A picture that
 * cannot be drawn or written is told once; it never stops the run. */

#ifndef CONVZOO_PLOTS_H
#define CONVZOO_PLOTS_H

#include "trials.h"

typedef struct Plots {
    TrainerReport  report;         /* who is told beside */
    const Trainer *trainer;        /* NULL: not open yet */
    double         drawn, cost;    /* when they were drawn last, and the seconds that it took */
    bool           told;
} Plots;

/* A report that tells `report`, and draws once plots->trainer is set; plots must outlive it. */
TrainerReport plots_report(Plots *plots, TrainerReport report);

/* The pictures of all epochs that the log has. */
void plots_draw(Plots *plots);

/* A search for the learning rate as a picture: losses over the rates, and the one that is suggested (0: none). */
bool plots_save_rates(const RatePoint *points, int count, float suggested, const char *path, Error *error);

#endif
