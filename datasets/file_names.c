/* file_names.c - see file_names.h. */

#include "file_names.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "disk.h"
#include "errors.h"
#include "text.h"

static const char *const litter[] = {
    "__MACOSX", "@eaDir", "@Recycle", "@tmp", "#recycle", "#snapshot", "$RECYCLE.BIN", "RECYCLER", "System Volume Information",
    "lost+found", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "__pycache__", "Network Trash Folder", "Temporary Items",
};

static const struct {
    const char *name;
    Split       split;
} parts[] = {
    { "train", SPLIT_train }, { "training", SPLIT_train },
    { "val", SPLIT_val },     { "valid", SPLIT_val },       { "validation", SPLIT_val }, { "dev", SPLIT_val },
    { "test", SPLIT_test },   { "testing", SPLIT_test },
};

bool name_is_litter(const char *name)
{
    bool found = name[0] == '.';
    for (size_t i = 0; i < sizeof litter / sizeof *litter && !found; i++)
        found = !strcasecmp(name, litter[i]);
    return found;
}

bool name_is_part(const char *name, Split *split)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strcasecmp(name, parts[i].name)) {
            *split = parts[i].split;
            return true;
        }
    return false;
}

const char *name_find(const char *name, const char *word)
{
    for (; *name; name++)
        if (!strncasecmp(name, word, strlen(word)))
            return name;
    return NULL;
}

/* ---- names that look the same ---- */

enum { COMPOSED_FIRST = 0xC0, COMPOSED_END = 0x180 };

/* Latin-1 and Latin Extended-A: a letter and the mark on it; 0 where a letter has none. */
static const struct {
    char     letter;
    uint16_t mark;
} composed[COMPOSED_END - COMPOSED_FIRST] = {
    { 'A', 0x300 }, { 'A', 0x301 }, { 'A', 0x302 }, { 'A', 0x303 }, { 'A', 0x308 }, { 'A', 0x30A }, { 0, 0 }, { 'C', 0x327 },
    { 'E', 0x300 }, { 'E', 0x301 }, { 'E', 0x302 }, { 'E', 0x308 }, { 'I', 0x300 }, { 'I', 0x301 }, { 'I', 0x302 }, { 'I', 0x308 },
    { 0, 0 }, { 'N', 0x303 }, { 'O', 0x300 }, { 'O', 0x301 }, { 'O', 0x302 }, { 'O', 0x303 }, { 'O', 0x308 }, { 0, 0 },
    { 0, 0 }, { 'U', 0x300 }, { 'U', 0x301 }, { 'U', 0x302 }, { 'U', 0x308 }, { 'Y', 0x301 }, { 0, 0 }, { 0, 0 },
    { 'a', 0x300 }, { 'a', 0x301 }, { 'a', 0x302 }, { 'a', 0x303 }, { 'a', 0x308 }, { 'a', 0x30A }, { 0, 0 }, { 'c', 0x327 },
    { 'e', 0x300 }, { 'e', 0x301 }, { 'e', 0x302 }, { 'e', 0x308 }, { 'i', 0x300 }, { 'i', 0x301 }, { 'i', 0x302 }, { 'i', 0x308 },
    { 0, 0 }, { 'n', 0x303 }, { 'o', 0x300 }, { 'o', 0x301 }, { 'o', 0x302 }, { 'o', 0x303 }, { 'o', 0x308 }, { 0, 0 },
    { 0, 0 }, { 'u', 0x300 }, { 'u', 0x301 }, { 'u', 0x302 }, { 'u', 0x308 }, { 'y', 0x301 }, { 0, 0 }, { 'y', 0x308 },
    { 'A', 0x304 }, { 'a', 0x304 }, { 'A', 0x306 }, { 'a', 0x306 }, { 'A', 0x328 }, { 'a', 0x328 }, { 'C', 0x301 }, { 'c', 0x301 },
    { 'C', 0x302 }, { 'c', 0x302 }, { 'C', 0x307 }, { 'c', 0x307 }, { 'C', 0x30C }, { 'c', 0x30C }, { 'D', 0x30C }, { 'd', 0x30C },
    { 0, 0 }, { 0, 0 }, { 'E', 0x304 }, { 'e', 0x304 }, { 'E', 0x306 }, { 'e', 0x306 }, { 'E', 0x307 }, { 'e', 0x307 },
    { 'E', 0x328 }, { 'e', 0x328 }, { 'E', 0x30C }, { 'e', 0x30C }, { 'G', 0x302 }, { 'g', 0x302 }, { 'G', 0x306 }, { 'g', 0x306 },
    { 'G', 0x307 }, { 'g', 0x307 }, { 'G', 0x327 }, { 'g', 0x327 }, { 'H', 0x302 }, { 'h', 0x302 }, { 0, 0 }, { 0, 0 },
    { 'I', 0x303 }, { 'i', 0x303 }, { 'I', 0x304 }, { 'i', 0x304 }, { 'I', 0x306 }, { 'i', 0x306 }, { 'I', 0x328 }, { 'i', 0x328 },
    { 'I', 0x307 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 'J', 0x302 }, { 'j', 0x302 }, { 'K', 0x327 }, { 'k', 0x327 },
    { 0, 0 }, { 'L', 0x301 }, { 'l', 0x301 }, { 'L', 0x327 }, { 'l', 0x327 }, { 'L', 0x30C }, { 'l', 0x30C }, { 0, 0 },
    { 0, 0 }, { 0, 0 }, { 0, 0 }, { 'N', 0x301 }, { 'n', 0x301 }, { 'N', 0x327 }, { 'n', 0x327 }, { 'N', 0x30C },
    { 'n', 0x30C }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 'O', 0x304 }, { 'o', 0x304 }, { 'O', 0x306 }, { 'o', 0x306 },
    { 'O', 0x30B }, { 'o', 0x30B }, { 0, 0 }, { 0, 0 }, { 'R', 0x301 }, { 'r', 0x301 }, { 'R', 0x327 }, { 'r', 0x327 },
    { 'R', 0x30C }, { 'r', 0x30C }, { 'S', 0x301 }, { 's', 0x301 }, { 'S', 0x302 }, { 's', 0x302 }, { 'S', 0x327 }, { 's', 0x327 },
    { 'S', 0x30C }, { 's', 0x30C }, { 'T', 0x327 }, { 't', 0x327 }, { 'T', 0x30C }, { 't', 0x30C }, { 0, 0 }, { 0, 0 },
    { 'U', 0x303 }, { 'u', 0x303 }, { 'U', 0x304 }, { 'u', 0x304 }, { 'U', 0x306 }, { 'u', 0x306 }, { 'U', 0x30A }, { 'u', 0x30A },
    { 'U', 0x30B }, { 'u', 0x30B }, { 'U', 0x328 }, { 'u', 0x328 }, { 'W', 0x302 }, { 'w', 0x302 }, { 'Y', 0x302 }, { 'y', 0x302 },
    { 'Y', 0x308 }, { 'Z', 0x301 }, { 'z', 0x301 }, { 'Z', 0x307 }, { 'z', 0x307 }, { 'Z', 0x30C }, { 'z', 0x30C }, { 0, 0 },
};

static uint32_t small_letter(uint32_t code)
{
    if ((code >= 'A' && code <= 'Z') || (code >= 0x391 && code <= 0x3A9) || (code >= 0x410 && code <= 0x42F))
        return code + 0x20;
    if (code >= 0x400 && code <= 0x40F)
        return code + 0x50;
    return code == 0xC6 || code == 0xD0 || code == 0xD8 || code == 0xDE ? code + 0x20 : code;
}

static size_t utf8_put(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    to[0] = (char)(0xC0 | code >> 6);
    to[1] = (char)(0x80 | (code & 0x3F));
    return 2;
}

/* Only characters of one and two bytes change; longer ones and bytes that are not UTF-8 are copied. */
char *name_folded(const char *name)
{
    char *folded = allocate(2 * strlen(name) + 1, 1, "a name");
    size_t at = 0;
    while (*name) {
        const unsigned char first = (unsigned char)name[0], second = (unsigned char)name[1];
        const bool two = first >= 0xC2 && first < 0xE0 && (second & 0xC0) == 0x80;
        const uint32_t code = two ? (first & 0x1Fu) << 6 | (second & 0x3Fu) : first;
        if (first >= 0x80 && !two) {
            folded[at++] = *name++;
            continue;
        }
        const bool apart = code >= COMPOSED_FIRST && code < COMPOSED_END && composed[code - COMPOSED_FIRST].letter;
        at += utf8_put(small_letter(apart ? (uint32_t)composed[code - COMPOSED_FIRST].letter : code), folded + at);
        if (apart)
            at += utf8_put(composed[code - COMPOSED_FIRST].mark, folded + at);
        name += two ? 2 : 1;
    }
    folded[at] = '\0';
    return folded;
}

void name_bytes(const char *name, char *text, size_t size)
{
    size_t at = 0;
    for (; *name && at + 5 < size; name++)
        if ((unsigned char)*name < 0x20 || (unsigned char)*name > 0x7E)
            at += (size_t)snprintf(text + at, size - at, "\\x%02X", (unsigned)(unsigned char)*name);
        else
            text[at++] = *name;
    text[at] = '\0';
}

/* ---- lists for messages ---- */

enum { LISTED = 5 };

void name_list_add(NameList *list, const char *name)
{
    const size_t length = strlen(list->first), needed = strlen(name_tail(name)) + 2;
    if (list->count++ < LISTED && length + needed < sizeof list->first)
        snprintf(list->first + length, sizeof list->first - length, "%s%s", length ? ", " : "", name_tail(name));
}

const char *name_list_more(const NameList *list)
{
    return list->count > LISTED ? ", ..." : "";
}
