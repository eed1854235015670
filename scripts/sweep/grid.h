/* grid.h - what a sweep varies: axes of settings with their values; a choice is one value of each. */

#ifndef CONVZOO_GRID_H
#define CONVZOO_GRID_H

#include "errors.h"
#include "settings.h"

enum { GRID_AXES = 12, GRID_VALUES = 64, GRID_CHOICES = 4096 };

typedef struct Axis {
    int   setting;                     /* its row (settings.h) */
    char *values[GRID_VALUES];         /* as setting_write has them; owned */
    int   count;
} Axis;

typedef struct Grid {
    Axis axes[GRID_AXES];
    int  count;
} Grid;

/* Adds "NAME=VALUE,VALUE,..."; commas in parentheses do not part values, and where there is a semicolon only these do. False and a line for an unknown
 * name, a bad value, or what cannot be varied. */
bool grid_add(Grid *grid, const char *text, Error *error);
void grid_clear(Grid *grid);

/* How many choices there are. The last axis varies fastest. */
int         grid_choices(const Grid *grid);
const char *grid_value(const Grid *grid, int choice, int axis);

/* "lenet-act=relu-lr=0.01", fit for a folder's name, another one for each choice; the caller frees it. */
char *grid_name(const Grid *grid, int choice);

/* False and a line for a value that is not UTF-8, as args.json is: train could not resume with it. */
bool grid_text_check(const Setting *setting, const char *text, Error *error);

/* Whether train takes the choice together with what all runs have; `common` by row, as settings_resolve wants it. */
bool grid_check(const Grid *grid, int choice, char *const *common, Error *error);

#endif
