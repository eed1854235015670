/* bar.h - where a run stands, as one line that fits a terminal. */

#ifndef CONVZOO_BAR_H
#define CONVZOO_BAR_H

#include "trainer.h"

/* Writes the line without its end. Below the full width it says less: a shorter bar, no speed, no bar, no accuracy, no loss, no
 * steps; the time left stays to the last. The last column stays free, for there some terminals begin a new line. columns 0: any. */
void bar_write(const TrainerStep *step, int columns, char *text, size_t size);

/* "1:02:03", "2:03" */
const char *bar_duration(double seconds, char *text, size_t size);

#endif
