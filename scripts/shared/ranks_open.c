/* ranks_open.c - see ranks_open.h. */

#include "ranks_open.h"

#include "own_folder.h"
#include "ranks_module.h"
#include "text.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How a starter tells a process about itself. Slurm's srun speaks as one of these (--mpi=pmix, pmi2). */
typedef struct Starter {
    const char *module;            /* convzoo_ranks_<module>.so */
    const char *rank, *count;      /* variables of the environment; count NULL: it says none */
} Starter;

static const Starter starters[] = {
    { "openmpi", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE" },
    { "mpich",   "PMI_RANK",             "PMI_SIZE" },
    { "openmpi", "PMIX_RANK",            "SLURM_NTASKS" },
};

static const Starter *starter_find(void)
{
    for (size_t i = 0; i < sizeof starters / sizeof *starters; i++)
        if (getenv(starters[i].rank))
            return &starters[i];
    return NULL;
}

int ranks_announced(void)
{
    const Starter *starter = starter_find();
    return starter ? atoi(getenv(starter->rank)) : 0;
}

static int announced_count(const Starter *starter)
{
    const char *count = getenv(starter->count);
    return count ? atoi(count) : 1;
}

static const RanksModule *module;
static Ranks job;

static void failed(const char *what)
{
    Error error;
    error_set(&error, EXIT_peer, "rank %d: %s: a rank or the network between them is lost: go on with --resume DIR", job.rank, what);
    error_print(&error);
    _exit(EXIT_peer);
}

/* The library beside the programs. */
static const RanksModule *module_load(const char *name, Error *error)
{
    char *folder = own_folder(error);
    if (!folder)
        return NULL;
    char *path = text_format("%s/convzoo_ranks_%s.so", folder, name);
    /* MPI loads more libraries, which look for its names everywhere. */
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    const RanksModule *(*entry)(void) = NULL;
    if (library)
        *(void **)&entry = dlsym(library, RANKS_MODULE_ENTRY);
    if (!entry)
        error_set(error, EXIT_input, "several processes, but no library for their MPI (%s): %s: install %s and build again, or use the mpirun of another MPI",
                  name, dlerror(), !strcmp(name, "mpich") ? "libmpich-dev" : "libopenmpi-dev");
    free(path);
    free(folder);
    return entry ? entry() : NULL;
}

bool ranks_open(const Ranks **ranks, Error *error)
{
    const Starter *starter = starter_find();
    char text[256] = "";
    *ranks = NULL;
    if (!starter || announced_count(starter) == 1)
        return true;
    module = module_load(getenv("CONVZOO_MPI") ? getenv("CONVZOO_MPI") : starter->module, error);
    if (!module)
        return false;
    if (!module->open(&job, failed, text, sizeof text))
        return error_set(error, EXIT_peer, "cannot join the other ranks: %s: %s: see docs/ranks.md", starter->module, text);
    *ranks = job.count > 1 ? &job : NULL;
    return true;
}

void ranks_close(const Ranks *ranks)
{
    (void)ranks;
    if (module)
        module->close();
    module = NULL;
}
