/* rank_runs.h - train as several processes, by every MPI that is installed and was built in.
 *
 * All is done in `folder` (commands.h). Each mpirun has a bound of its own, after which it is interrupted. */

#ifndef CONVZOO_RANK_RUNS_H
#define CONVZOO_RANK_RUNS_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct RankStarter {
    const char *name;            /* of the library: convzoo_ranks_<name>.so */
    const char *program;         /* mpirun and its options, but -np N */
} RankStarter;

enum { RANK_STARTERS = 2 };

/* The usable ones and their number; where there is none the test ends here, as skipped. Call it before cmocka. */
int rank_runs_starters(void);
const RankStarter *rank_runs_starter(int i);

/* The shell line for `train arguments` by so many ranks; ranks 1: without mpirun. Every rank writes its pid to the file pid<rank>. one:
 * "--option ..." that rank 1 alone gets after the arguments, or shell text that each runs before train, with its number in $rank (NULL: nothing). The
 * line is valid until the next call. */
const char *rank_runs_line(const RankStarter *starter, int ranks, const char *arguments, const char *one);

/* Runs it; out and err (NULL: not wanted) are to be freed. The exit code. */
int  rank_runs_do(const RankStarter *starter, int ranks, const char *arguments, const char *one, char **out, char **err);
/* The run must end well, with warnings alone on stderr: there may be fewer cores than ranks. */
void rank_runs_well(const RankStarter *starter, int ranks, const char *arguments);

/* Lines of a text that begin with so; MPI's own are between them. */
int  rank_runs_lines(const char *text, const char *beginning);

/* Starts it without waiting, with stdout and stderr in the files of these names. `options` are mpirun's, beside its own. */
pid_t rank_runs_start(const RankStarter *starter, const char *options, int ranks, const char *arguments);
/* The process of a rank that was started last, once it runs. */
pid_t rank_runs_pid(int rank);
/* Whether the process is gone, or is nobody's any more. */
bool  rank_runs_gone(pid_t pid);

/* The number of this name in the line of the epoch (from 1) of DIR/log.jsonl. */
double rank_runs_logged(const char *dir, int epoch, const char *key);
/* The files hold the same bytes. */
void   rank_runs_same(const char *dir, const char *other, const char *file, const char *what);

#endif
