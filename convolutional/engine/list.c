/* list.c - see list.h. */

#include "list.h"

#include "errors.h"

#include <stdlib.h>
#include <string.h>

void *list_add(List *list, void *item)
{
    if (list->count == list->room) {
        const int room = list->room ? 2 * list->room : 64;
        void **items = allocate((size_t)room, sizeof *items, "a list");
        if (list->count)
            memcpy(items, list->items, (size_t)list->count * sizeof *items);
        free(list->items);
        list->items = items;
        list->room = room;
    }
    return list->items[list->count++] = item;
}

void list_clear(List *list, void (*free_item)(void *item))
{
    for (int i = 0; free_item && i < list->count; i++)
        free_item(list->items[i]);
    free(list->items);
    *list = (List){0};
}
