/* rank_runs.c - see rank_runs.h. */

#include "rank_runs.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "scratch.h"

/* Seconds after which a job is taken to hang. Four ranks of ResNet-18 under the sanitizers take 40 on two cores. */
enum { LIMIT = 300 };

static const RankStarter known[RANK_STARTERS] = {
    { "openmpi", "mpirun.openmpi --oversubscribe" },
    { "mpich",   "mpirun.mpich" },
};

static RankStarter usable[RANK_STARTERS];
static int         usable_count;

/* What a process of the job does before it is train. */
static const char wrapper[] = "rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}\n"
                              "echo $$ >pid$rank.new && mv pid$rank.new pid$rank\n"
                              "case $ONE in --*) [ $rank != 1 ] || set -- \"$@\" $ONE ;; *) eval \"$ONE\" ;; esac\n"
                              "exec train \"$@\"\n";

int rank_runs_starters(void)
{
    char line[512];
    for (int i = 0; i < RANK_STARTERS; i++) {
        snprintf(line, sizeof line, "command -v mpirun.%s >/dev/null && test -e '%s'/convzoo_ranks_%s.so", known[i].name, PROGRAMS_FOLDER,
                 known[i].name);
        if (system(line) == 0)
            usable[usable_count++] = known[i];
    }
    if (usable_count == 0) {
        puts("skipped: no MPI: scripts/install_dependencies.sh --peers");
        exit(77);
    }
    /* Open MPI starts nothing as root, and binds a job of two to a core each, whoever else runs there. */
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
    /* The MPIs keep memory of their own until the end. */
    setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
    return usable_count;
}

const RankStarter *rank_runs_starter(int i)
{
    return &usable[i];
}

static void write_wrapper(void)
{
    char path[256];
    scratch_write(scratch_path(path, folder, "rank.sh"), wrapper, sizeof wrapper - 1);
}

static const char *line_with(const RankStarter *starter, const char *options, int ranks, const char *arguments, const char *one)
{
    static char line[1536];
    char start[128] = "";
    write_wrapper();
    if (ranks > 1)
        snprintf(start, sizeof start, "%s %s -np %d", starter->program, options, ranks);
    const int length = snprintf(line, sizeof line, "ONE='%s' timeout -s INT -k 3 %d %s sh rank.sh %s </dev/null", one ? one : "", LIMIT,
                                start, arguments);
    assert_true(length > 0 && (size_t)length < sizeof line);
    return line;
}

const char *rank_runs_line(const RankStarter *starter, int ranks, const char *arguments, const char *one)
{
    return line_with(starter, "", ranks, arguments, one);
}

int rank_runs_do(const RankStarter *starter, int ranks, const char *arguments, const char *one, char **out, char **err)
{
    char *own_out, *own_err;
    const int code = run(rank_runs_line(starter, ranks, arguments, one), &own_out, &own_err);
    if (out)
        *out = own_out;
    else
        free(own_out);
    if (err)
        *err = own_err;
    else
        free(own_err);
    return code;
}

void rank_runs_well(const RankStarter *starter, int ranks, const char *arguments)
{
    char *err;
    const int code = rank_runs_do(starter, ranks, arguments, NULL, NULL, &err);
    if (code != 0 || rank_runs_lines(err, "train: ") != rank_runs_lines(err, "train: warning: "))
        fail_msg("%s by %d ranks, %s: exit %d\n%s", arguments, ranks, starter->name, code, err);
    free(err);
}

int rank_runs_lines(const char *text, const char *beginning)
{
    int count = 0;
    for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        count += !strncmp(at, beginning, strlen(beginning));
    return count;
}

pid_t rank_runs_start(const RankStarter *starter, const char *options, int ranks, const char *arguments)
{
    char line[2048], path[256], name[16];
    for (int rank = 0; rank < ranks; rank++) {
        snprintf(name, sizeof name, "pid%d", rank);
        remove(scratch_path(path, folder, name));
    }
    snprintf(line, sizeof line, "cd '%s' && export PATH='%s':\"$PATH\" && exec >stdout 2>stderr && %s", folder, PROGRAMS_FOLDER,
             line_with(starter, options, ranks, arguments, NULL));
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return child;
}

pid_t rank_runs_pid(int rank)
{
    char path[256], name[16];
    snprintf(name, sizeof name, "pid%d", rank);
    wait_for_file(name);
    char *text = scratch_read(scratch_path(path, folder, name), &(size_t){ 0 });
    const pid_t pid = (pid_t)atoi(text);
    free(text);
    assert_true(pid > 1);
    return pid;
}

bool rank_runs_gone(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return true;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(file);
    return state == 'Z' || state == 'X';
}

double rank_runs_logged(const char *dir, int epoch, const char *key)
{
    char path[256], name[128];
    json_error_t where;
    snprintf(name, sizeof name, "%s/log.jsonl", dir);
    char *text = scratch_read(scratch_path(path, folder, name), &(size_t){ 0 }), *at = text;
    if (!text)
        fail_msg("no %s", path);
    for (int i = 1; at && i < epoch; i++)
        at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
    json_t *object = at ? json_loads(at, JSON_DISABLE_EOF_CHECK, &where) : NULL;
    if (!object)
        fail_msg("%s has no epoch %d: %s", path, epoch, text);
    const double value = json_number(object, key);
    json_decref(object);
    free(text);
    return value;
}

void rank_runs_same(const char *dir, const char *other, const char *file, const char *what)
{
    char path[256], name[128];
    size_t count;
    snprintf(name, sizeof name, "%s/%s", dir, file);
    char *bytes = scratch_read(scratch_path(path, folder, name), &count);
    if (!bytes)
        fail_msg("%s: no %s", what, name);
    snprintf(name, sizeof name, "%s/%s", other, file);
    if (!scratch_holds(scratch_path(path, folder, name), bytes, count))
        fail_msg("%s: %s/%s and %s are not the same", what, dir, file, name);
    free(bytes);
}
