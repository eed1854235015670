/* checkpoint_match.h - a file's tensors beside those that a network needs: a row each.
 *
 * Strict loading is "every row is equal". What the rows hold of the file and the network is theirs: both must stay. */

#ifndef CONVZOO_CHECKPOINT_MATCH_H
#define CONVZOO_CHECKPOINT_MATCH_H

#include "checkpoint_naming.h"
#include "checkpoint_slots.h"

typedef enum {
    MATCH_equal,
    MATCH_missing,         /* not in the file */
    MATCH_extra,           /* not in the network */
    MATCH_shape,
    MATCH_dtype,
    MATCH_KINDS
} MatchKind;

typedef struct MatchRow {
    MatchKind               kind;
    const char             *name;      /* the network's; an extra tensor's in the file */
    const Slot             *slot;      /* NULL: extra */
    const SafetensorsEntry *entry;     /* NULL: missing; also if equal, for a counter that the file may do without */
} MatchRow;

typedef struct CheckpointMatch {
    Slots            slots;
    MatchRow        *rows;             /* the slots in their order, then what is extra in the file's order */
    size_t           count;
    size_t           kinds[MATCH_KINDS];      /* rows of each kind */
    CheckpointNaming naming;
} CheckpointMatch;

/* kept: the blocks to be found; tensors of other owners get no row. It outlives the match; NULL: kept_network.
 * foreign: the file may have been written elsewhere. Names may be wrapped or of another layout, then also the same values under
 * another rank ([C] for [C,1,1]), and batch norm's counters may be absent, as PyTorch takes them. */
CheckpointMatch checkpoint_match(const Safetensors *file, Network *network, const Kept *kept, bool foreign);
void            checkpoint_match_clear(CheckpointMatch *match);

bool checkpoint_match_is_equal(const CheckpointMatch *match);
/* One line for rows that are not: up to ten of them, of the network's and of the file's, and how many there are of each kind. */
bool checkpoint_match_refuse(const CheckpointMatch *match, const Safetensors *file, const char *path, const Network *network,
                             Error *error);
/* What had to be done so that they are equal, "" if nothing; returns text. */
const char *checkpoint_match_note(const CheckpointMatch *match, const Safetensors *file, const char *path, char *text, size_t size);

/* Reads the entry's `count` floats (checkpoint.c). False and a line if one is not finite. */
bool checkpoint_read_values(const Safetensors *file, const SafetensorsEntry *entry, size_t count, float *values, const char *path, Error *error);
/* Reads the rows that are equal into the network (checkpoint.c). False and a line, and nothing is changed, if a value is not finite. */
bool checkpoint_load_rows(const Safetensors *file, const CheckpointMatch *match, const char *path, Error *error);

#endif
