/* library_memory.h - libraries that get no memory end the program as allocate does. */

#ifndef CONVZOO_LIBRARY_MEMORY_H
#define CONVZOO_LIBRARY_MEMORY_H

/* For jansson, which would tell of damage or leave something out, and for C++'s operator new in oneDNN, which would abort.
 * Both are of the whole process: a program calls this at its start. What oneDNN allocates by other means ends in a status. */
void library_memory_guard(void);

#endif
