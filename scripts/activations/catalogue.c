/* catalogue.c - activations as arguments of a command; see commands.h. */

#include "commands.h"

#include <stdlib.h>
#include <string.h>

Activation *catalogue_parse(const OptionLine *line, int first, int *count, Error *error)
{
    Activation *acts = allocate((size_t)line->argument_count + (size_t)activation_count() + 1, sizeof *acts, "activations");
    *count = 0;
    bool ok = true;
    for (int i = first; i < line->argument_count && ok; i++) {
        const char *word = line->arguments[i];
        if (!strcmp(word, "all")) {
            for (int j = 0; j < activation_count(); j++)
                acts[(*count)++] = activation_of_info(activation_at(j));
            ok = line->argument_count - first == 1 || error_set(error, EXIT_usage, "names beside 'all': all has them already: leave them out");
            break;
        }
        ok = activation_parse(word, &acts[*count], error);
        if (ok && activation_key(acts[*count]) == ACT_native)
            ok = error_set(error, EXIT_usage, "no function: '%s': it stands for an architecture's own: use one of %s", word, activation_names());
        (*count)++;
    }
    if (ok && !*count)
        ok = error_set(error, EXIT_usage, "no name: use one of %s", activation_names());
    if (ok)
        return acts;
    free(acts);
    return NULL;
}
