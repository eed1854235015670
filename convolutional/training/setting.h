/* setting.h - a named value that a person may set: one row for its name, type, bounds, default, help, and how long it is kept.
 *
 * A program's options and the settings of a run (settings.h) are tables of such rows. A row's value lies in a struct of the table's
 * owner, at an offset. As text it is what a person types. */

#ifndef CONVZOO_SETTING_H
#define CONVZOO_SETTING_H

#include <stddef.h>

#include <jansson.h>

#include "errors.h"

typedef enum {
    SETTING_text,          /* const char *          no default: NULL */
    SETTING_real,          /* double                no default: NAN */
    SETTING_float,         /* float                 no default: NAN */
    SETTING_whole,         /* int64_t or uint64_t   no default: -1 */
    SETTING_int,           /* int or uint32_t       no default: -1 */
    SETTING_switch,        /* bool                  no default: false */
} SettingType;

typedef enum {
    KEEP_run,              /* args.json has it: a run that goes on has it too */
    KEEP_result,           /* also in the checkpoint: it shapes the result, and a run goes on with the same value or not at all */
    KEEP_length,           /* the same, but a run that goes on may have another value */
    KEEP_call,             /* of one call alone */
} SettingKeep;

/* How a field of another type is read and written. read may go beyond the field: into the struct that it begins. A switch's is given
 * "true" or "false". */
typedef struct SettingForm {
    bool        (*read)(const char *text, void *field, Error *error);
    const char *(*write)(const void *field, char *text, size_t size);      /* returns text */
} SettingForm;

typedef struct Setting {
    const char   *name;              /* "batch-size" */
    const char   *aliases;           /* further long names, space-separated; NULL */
    char          letter;            /* 'b'; 0 */
    SettingType   type;              /* with a form: how it is typed, SETTING_text or SETTING_switch */
    size_t        field;             /* where its value lies in the struct */
    const char   *argument;          /* what help calls the value: "N" */
    const char   *fallback;          /* the default, as typed; NULL: none. It may lie outside the bounds, to mean "by rule" */
    const char   *shown;             /* the default as help shows it, where it is not a plain value */
    double        least, most;       /* bounds of a number */
    bool          deniable;          /* a text, and --no-<name> as for a switch: it is then read as "false" */
    const char   *choices;           /* the texts that are taken, space-separated; NULL: any */
    const char   *group;
    const char   *help;
    const char *(*names)(void);      /* help goes on with these */
    const char   *with;              /* what the row needs to mean anything: "sched=poly exp": that row has one of these values; "sched!=triangle": it has
                                        another; "mixup cutmix": one of these rows is on; NULL: nothing */
    bool          rare;              /* only in --help=all */
    bool          hidden;            /* in no help: another row is the way to type it */
    SettingKeep   keep;
    const char   *absent;            /* KEEP_result: the value at which the checkpoint leaves it out, as setting_write has it, which is what
                                        runs had before there was this setting; NULL: it is always there */
    const SettingForm *form;         /* NULL: as the type says */
} Setting;

/* False and one line for a text that is no value of the row. A text's field points to it afterwards. */
bool setting_read(const Setting *setting, const char *text, void *values, Error *error);
/* The default. A form without one leaves its field alone: the struct begins as zeros. */
void setting_reset(const Setting *setting, void *values);
/* The value as typed, "" for none; returns text. */
const char *setting_write(const Setting *setting, const void *values, char *text, size_t size);

/* A row's `with`, taken apart. */
typedef struct SettingNeed {
    char        row[32];         /* the row whose value decides; "": the words are rows, one of which must be on */
    bool        another;         /* its value must be none of the words */
    const char *words;           /* space-separated; "": nothing is needed */
} SettingNeed;

SettingNeed setting_need(const Setting *setting);
/* What the row needs, as a person reads it: "with --sched poly, exp"; "" for nothing. Returns text. */
const char *setting_condition(const Setting *setting, char *text, size_t size);

/* The value as JSON: a number, a boolean or a string, null for none. NULL if it is a text that is not UTF-8. */
json_t *setting_json(const Setting *setting, const void *values);
/* The text of such a value, which the caller frees. NULL and no error: it is none. NULL and a line: it is of another type. */
char   *setting_of_json(const Setting *setting, const json_t *value, Error *error);

#endif
