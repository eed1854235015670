/* library_memory.c - see library_memory.h. */

#include "library_memory.h"

#include "errors.h"

#include <dlfcn.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *json_allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        memory_exhausted("jansson");
    return memory;
}

/* Called by operator new before it throws. Other threads may be computing: nothing of theirs is taken down. */
static void new_failed(void)
{
    char line[160];
    const int length = snprintf(line, sizeof line, "%s: out of memory: oneDNN: use a smaller batch or image, or close other programs\n",
                                program_name());
    fwrite(line, 1, (size_t)length, stderr);
    fflush(stdout);
    _Exit(EXIT_memory);
}

void library_memory_guard(void)
{
    typedef void Handler(void);
    Handler *(*set_new_handler)(Handler *);
    json_set_alloc_funcs(json_allocate, free);
    /* std::set_new_handler of the C++ library that oneDNN came with; without one there is nothing to guard. */
    void *symbol = dlsym(RTLD_DEFAULT, "_ZSt15set_new_handlerPFvvE");
    if (symbol) {
        memcpy(&set_new_handler, &symbol, sizeof symbol);
        set_new_handler(new_failed);
    }
}
