/* explorer.c - the explorer page from its parts; see explorer.h. */

#include "explorer.h"

#include "explorer_data.h"
#include "files.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>

char *explorer_page(const char *experiments, Error *error)
{
    json_t *data = explorer_data(experiments, error);
    if (!data)
        return NULL;
    char *text = page_text("page.html", data, 0);
    json_decref(data);
    return text;
}

/* A folder that is not there is told before the experiments are run, not a minute later. */
bool explorer_save(const char *path, const char *experiments, Error *error)
{
    char *page = page_check_path(path, error) ? explorer_page(experiments, error) : NULL;
    const bool saved = page && file_replace(path, page, strlen(page), error);
    free(page);
    return saved;
}
