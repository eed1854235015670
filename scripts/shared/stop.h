/* stop.h - signals that end a run: the first one after its step, saved; the second only says what a third does; the third at
 * once. Each is answered in the moment it comes. */

#ifndef CONVZOO_STOP_H
#define CONVZOO_STOP_H

#include <signal.h>
#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP stop the run; what was ignored on entry (nohup) stays ignored. A closed pipe or a size
 * limit is an error of the write, not the end. quiet: no answer. saves: what the answers may promise; a trial saves nothing. Returns
 * where the first signal's number appears. */
const volatile sig_atomic_t *stop_watch(bool quiet, bool saves);

/* The run has come to its end: no step is left to finish, so signals are no longer answered. The process ends by itself with its own exit code;
 * a third signal still ends it at once. (mpirun sends SIGTERM to the other ranks as soon as one has ended with an error.) */
void stop_end(void);

#endif
