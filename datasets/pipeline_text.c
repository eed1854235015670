/* pipeline_text.c - an augmentation's text, read and written; see pipeline.h. */

#include "pipeline.h"

#include "names.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEP_TEXT = 96 };

static const StepInfo *step_named(const char *name, Error *error)
{
    NameSearch search = { .wrong = name };
    for (int i = 0; i < step_count(); i++) {
        const StepInfo *info = step_at(i);
        if (names_match(info->key, name, strlen(name)) || (info->aliases && names_match(info->aliases, name, strlen(name))))
            return info;
        names_consider(&search, info->key, info->aliases);
    }
    names_unknown_of(&search, "unknown augmentation", "--aug", step_names(), error);
    return NULL;
}

/* The word's place; -1: it is none of them. */
static int word_place(const char *words, const char *text)
{
    int place = 0;
    for (const char *word = words; word && *word; place++) {
        const size_t length = strcspn(word, " ");
        if (length == strlen(text) && !strncmp(word, text, length))
            return place;
        word += length + (word[length] == ' ');
    }
    return -1;
}

static bool number_fits(const StepNumber *number, float value)
{
    return value >= number->least && value <= number->most && (!number->whole || value == floorf(value));
}

/* One value between commas; *given counts the numbers. */
static bool step_value(Step *step, const char *text, int *given, Error *error)
{
    char form[256], *end;
    const StepInfo *info = step->info;
    const int word = word_place(info->words, text);
    if (word >= 0) {
        step->word = word;
        return true;
    }
    const float value = text_read_float(text, &end);
    if (end == text || *end || *given == step_number_count(info))
        return error_set(error, EXIT_usage, "'%s' of %s: --aug: write %s", text, info->key, step_form(info, form, sizeof form));
    const StepNumber *number = &info->numbers[*given];
    if (!number_fits(number, value))
        return error_set(error, EXIT_usage, "'%s' of %s: --aug: %s is a %snumber from %g to %g", text, info->key, number->name,
                         number->whole ? "whole " : "", (double)number->least, (double)number->most);
    step->numbers[(*given)++] = value;
    return true;
}

/* Takes "@0.3" off the end of the text. */
static bool step_rate(Step *step, char *text, Error *error)
{
    char *at = strchr(text, '@'), *end;
    step->rate = 1;
    if (!at)
        return true;
    *at = '\0';
    step->rate = text_read_float(at + 1, &end);
    return (end != at + 1 && !*end && step->rate >= 0 && step->rate <= 1) ||
           error_set(error, EXIT_usage, "'%s' of %s: --aug: behind @ stands a share of the images, from 0 to 1", at + 1, text);
}

static bool step_parse(char *text, Step *step, Error *error)
{
    if (!step_rate(step, text, error))
        return false;
    char *values = strchr(text, ':');
    if (values)
        *values++ = '\0';
    step->info = step_named(text, error);
    if (!step->info)
        return false;
    step->word = 0;
    for (int i = 0; i < STEP_NUMBERS; i++)
        step->numbers[i] = step->info->numbers[i].usual;
    int given = 0;
    while (values) {
        char *comma = strchr(values, ',');
        if (comma)
            *comma++ = '\0';
        if (!step_value(step, values, &given, error))
            return false;
        values = comma;
    }
    return true;
}

bool pipeline_parse(const char *text, Pipeline *pipeline, Error *error)
{
    *pipeline = (Pipeline){ 0 };
    if (strlen(text) > PIPELINE_TYPED)
        return error_set(error, EXIT_usage, "%zu letters are too many: --aug: %.40s...: %d are the most: leave steps out", strlen(text), text,
                         PIPELINE_TYPED);
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        char word[STEP_TEXT];
        const size_t length = strcspn(at, " ");
        if (length >= sizeof word)
            return error_set(error, EXIT_usage, "too long for a step: --aug: %.*s: choose from %s", (int)length, at, step_names());
        if (pipeline->count == PIPELINE_MOST)
            return error_set(error, EXIT_usage, "more than %d steps: --aug: %s: leave steps out", PIPELINE_MOST, text);
        memcpy(word, at, length);
        word[length] = '\0';
        if (!step_parse(word, &pipeline->steps[pipeline->count], error))
            return false;
        pipeline->count++;
        at += length;
    }
    return true;
}

/* ---- written ---- */

typedef struct Writer {
    char  *text;
    size_t at;
} Writer;

static void write_text(Writer *writer, const char *text, size_t length)
{
    CHECK(writer->at + length < PIPELINE_TEXT, "an augmentation's text of more than %d bytes", PIPELINE_TEXT);
    memcpy(writer->text + writer->at, text, length);
    writer->at += length;
    writer->text[writer->at] = '\0';
}

static void write_number(Writer *writer, char mark, float value)
{
    char text[48] = { mark };
    if (value == floorf(value) && value < 1e6f)
        snprintf(text + 1, sizeof text - 1, "%.0f", (double)value);      /* 10, not 1e+01 */
    else
        text_of_float(value, text + 1, sizeof text - 1);
    write_text(writer, text, strlen(text));
}

static void write_step(Writer *writer, const Step *step)
{
    const StepInfo *info = step->info;
    int shown = step_number_count(info);
    while (shown > 1 && step->numbers[shown - 1] == info->numbers[shown - 1].usual)
        shown--;
    write_text(writer, info->key, strlen(info->key));
    for (int i = 0; i < shown; i++)
        write_number(writer, i ? ',' : ':', step->numbers[i]);
    if (step->word) {
        char word[NAMES_LONGEST];
        names_word(info->words, step->word, word, sizeof word);
        write_text(writer, shown ? "," : ":", 1);
        write_text(writer, word, strlen(word));
    }
    if (step->rate < 1)
        write_number(writer, '@', step->rate);
}

const char *pipeline_text(const Pipeline *pipeline, char *text)
{
    Writer writer = { .text = text };
    *text = '\0';
    for (int i = 0; i < pipeline->count; i++) {
        if (i)
            write_text(&writer, " ", 1);
        write_step(&writer, &pipeline->steps[i]);
    }
    return text;
}
