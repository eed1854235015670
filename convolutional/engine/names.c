/* names.c - see names.h. */

#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_BEGINNING = 3 };      /* letters that say which name is meant */

/* Copies the letters that count. Returns their number, or `size` if they do not fit. */
static int plain_letters(const char *text, size_t length, char *to, int size)
{
    int count = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] != '-' && text[i] != '_') {
            if (count == size)
                return size;
            to[count++] = (char)tolower((unsigned char)text[i]);
        }
    return count;
}

static bool same_name(const char *a, size_t a_length, const char *b, size_t b_length)
{
    char left[NAMES_LONGEST], right[NAMES_LONGEST];
    const int count = plain_letters(a, a_length, left, NAMES_LONGEST);
    return count > 0 && count < NAMES_LONGEST && plain_letters(b, b_length, right, NAMES_LONGEST) == count &&
           !memcmp(left, right, (size_t)count);
}

static size_t next_word(const char *words)
{
    const size_t length = strcspn(words, " ");
    return length + strspn(words + length, " ");
}

bool names_match(const char *words, const char *name, size_t length)
{
    for (; *words; words += next_word(words))
        if (same_name(words, strcspn(words, " "), name, length))
            return true;
    return false;
}

const char *names_word(const char *words, int place, char *text, size_t size)
{
    for (; place > 0; place--)
        words += next_word(words);
    snprintf(text, size, "%.*s", (int)strcspn(words, " "), words);
    return text;
}

bool names_settle(const char *words, char *name)
{
    const size_t length = strlen(name);
    for (; *words; words += next_word(words)) {
        const size_t letters = strcspn(words, " ");
        if (letters == length && same_name(words, letters, name, length)) {
            memcpy(name, words, length);
            return true;
        }
    }
    return false;
}

/* How many letters must be put in, left out, replaced, or swapped with their neighbour, to make one of the other. */
static int distance(const char *a, int a_count, const char *b, int b_count)
{
    int rows[3][NAMES_LONGEST + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (int j = 0; j <= b_count; j++)
        last[j] = j;
    for (int i = 1; i <= a_count; i++) {
        row[0] = i;
        for (int j = 1; j <= b_count; j++) {
            const int replaced = last[j - 1] + (a[i - 1] != b[j - 1]), added = 1 + (row[j - 1] < last[j] ? row[j - 1] : last[j]);
            row[j] = replaced < added ? replaced : added;
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        int *const spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_count];
}

/* Of `wrong` from the name; -1: not near. */
static int nearness(const char *wrong, const char *name, size_t name_length)
{
    char a[NAMES_LONGEST], b[NAMES_LONGEST];
    const int a_count = plain_letters(wrong, strcspn(wrong, ":="), a, NAMES_LONGEST),
              b_count = plain_letters(name, name_length, b, NAMES_LONGEST);
    if (a_count == 0 || a_count == NAMES_LONGEST || b_count == NAMES_LONGEST)
        return -1;
    if (a_count >= LEAST_BEGINNING && a_count <= b_count && !memcmp(a, b, (size_t)a_count))
        return 1;
    const int steps = distance(a, a_count, b, b_count);
    return 3 * steps <= (a_count > b_count ? a_count : b_count) + 1 ? steps : -1;
}

static void insert(NameSearch *search, const char *name, size_t length, int steps)
{
    int at = search->count;
    while (at > 0 && search->distances[at - 1] > steps)
        at--;
    if (at == NAMES_NEAREST)
        return;
    if (search->count < NAMES_NEAREST)
        search->count++;
    for (int i = search->count - 1; i > at; i--) {
        search->distances[i] = search->distances[i - 1];
        memcpy(search->names[i], search->names[i - 1], NAMES_LONGEST);
    }
    search->distances[at] = steps;
    snprintf(search->names[at], NAMES_LONGEST, "%.*s", (int)length, name);
}

void names_consider(NameSearch *search, const char *key, const char *aliases)
{
    const char *const lists[] = { key, aliases ? aliases : "" }, *best = NULL;
    int least = -1;
    for (int list = 0; list < 2; list++)
        for (const char *word = lists[list]; *word; word += next_word(word)) {
            const int steps = nearness(search->wrong, word, strcspn(word, " "));
            if (steps >= 0 && (!best || steps < least)) {
                best = word;
                least = steps;
            }
        }
    if (best)
        insert(search, best, strcspn(best, " "), least);
}

const char *names_meant(const NameSearch *search, const char *prefix, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < search->count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s%s", i == 0 ? "did you mean " : i + 1 < search->count ? ", " : " or ",
                               prefix, search->names[i]);
    if (at && at < size)
        snprintf(text + at, size - at, "? ");
    return text;
}

static bool refuse(const NameSearch *search, const char *what, const char *where, const char *help, Error *error)
{
    char meant[NAMES_NEAREST * (NAMES_LONGEST + 8) + 32];
    return error_set(error, EXIT_usage, "%s '%.120s': %s%s%s%s", what, search->wrong, where, *where ? ": " : "",
                     names_meant(search, "", meant, sizeof meant), help);
}

bool names_unknown(const NameSearch *search, const char *what, const char *where, const char *lister, Error *error)
{
    char help[128];
    const char *family = strchr(program_name(), ' ');      /* of "convzoo train" */
    snprintf(help, sizeof help, "'%.*s%s' shows all", family ? (int)(family + 1 - program_name()) : 0, program_name(), lister);
    return refuse(search, what, where, help, error);
}

bool names_unknown_of(const NameSearch *search, const char *what, const char *where, const char *all, Error *error)
{
    char help[512];
    snprintf(help, sizeof help, "choose one of %s", all);
    return refuse(search, what, where, help, error);
}
