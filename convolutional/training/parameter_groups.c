/* parameter_groups.c - see parameter_groups.h. */

#include "parameter_groups.h"

#include "text.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- roles ---- */

bool parameter_in_head(const Network *network, const Param *param)
{
    return param->module == network_logits(network)->producer;
}

static bool is_weight(const Network *network, const Param *param)
{
    (void)network;
    return param->role == PARAM_weight;
}

static bool is_bias(const Network *network, const Param *param)
{
    (void)network;
    return !strcmp(param->part, "bias");
}

static bool is_norm(const Network *network, const Param *param)
{
    (void)network;
    return param->module->ops->normalises;
}

static bool is_norm_bias(const Network *network, const Param *param)
{
    return is_norm(network, param) && is_bias(network, param);
}

static bool is_norm_weight(const Network *network, const Param *param)
{
    return is_norm(network, param) && !is_bias(network, param);
}

static bool is_huge(const Network *network, const Param *param)
{
    return is_weight(network, param) && param->count > PARAMETER_HUGE;
}

/* Sized: whether there is one depends on the images' size, so that a wish for it may be about nobody. */
#define ROLES(X)                               \
    X("weight",      is_weight,         false) \
    X("bias",        is_bias,           false) \
    X("norm",        is_norm,           false) \
    X("norm-bias",   is_norm_bias,      false) \
    X("norm-weight", is_norm_weight,    false) \
    X("head",        parameter_in_head, false) \
    X("huge",        is_huge,           true)

static const struct Role { const char *name; bool (*has)(const Network *network, const Param *param); bool sized; } roles[] = {
#define X(name, function, sized) { name, function, sized },
    ROLES(X)
#undef X
};

const char *parameter_roles(void)
{
#define X(name, function, sized) " " name
    return &(ROLES(X))[1];      /* without the first space */
#undef X
}

/* NULL: `who` is a pattern of names. */
static const struct Role *role_find(const char *who)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (!strcmp(roles[i].name, who))
            return &roles[i];
    return NULL;
}

static bool is_for(const char *who, const Network *network, const Param *param)
{
    const struct Role *role = role_find(who);
    return role ? role->has(network, param) : fnmatch(who, param->name, 0) == 0;
}

/* ---- wishes ---- */

enum { WHO_ROOM = 128 };

typedef struct Wish {
    char              who[WHO_ROOM];
    bool              for_lr, for_decay, for_frozen, for_other;
    ParameterSettings settings;
} Wish;

/* The next word before the end of the wish; its length, 0 if there is none. */
static size_t next_word(const char **text, const char **word)
{
    *text += strspn(*text, " \t\n");
    *word = *text;
    *text += strcspn(*text, " \t\n;");
    return (size_t)(*text - *word);
}

/* "lr*64" or "lr/64" */
static bool read_factor(const char *word, size_t length, const char *name, float *factor)
{
    char *end;
    const size_t letters = strlen(name);
    if (length < letters + 2 || strncmp(word, name, letters) || (word[letters] != '*' && word[letters] != '/'))
        return false;
    const float value = text_read_float(word + letters + 1, &end);
    *factor = word[letters] == '*' ? value : 1 / value;
    return end == word + length && isfinite(*factor) && *factor >= 0;
}

static bool is_word(const char *word, size_t length, const char *name)
{
    return length == strlen(name) && !strncmp(word, name, length);
}

static bool read_word(const char *word, size_t length, Wish *wish)
{
    if (is_word(word, length, "frozen") || is_word(word, length, "trained")) {
        wish->settings.frozen = *word == 'f';
        return wish->for_frozen = true;
    }
    if (is_word(word, length, "other"))
        return wish->for_other = wish->settings.other = true;
    if (read_factor(word, length, "lr", &wish->settings.lr))
        return wish->for_lr = true;
    if (read_factor(word, length, "decay", &wish->settings.decay))
        return wish->for_decay = true;
    return false;
}

/* Reads the wish at *text and goes to the one after it. False without a line at the end, with one if it makes no sense. */
static bool next_wish(const char **text, Wish *wish, Error *error)
{
    const char *word;
    size_t length;
    *text += strspn(*text, " \t\n;");
    if (!(length = next_word(text, &word)))
        return false;
    *wish = (Wish){ 0 };
    if (length >= WHO_ROOM)
        return error_set(error, EXIT_usage, "a pattern of %zu characters: --param-groups: use fewer than %d", length, WHO_ROOM);
    memcpy(wish->who, word, length);
    while ((length = next_word(text, &word)) > 0)
        if (!read_word(word, length, wish))
            return error_set(error, EXIT_usage, "bad word '%.*s' for '%.40s': --param-groups: use lr*F, lr/F, decay*F, decay/F, frozen, "
                             "trained or other, and ';' before the next pattern", (int)(length < 40 ? length : 40), word, wish->who);
    if (!wish->for_lr && !wish->for_decay && !wish->for_frozen && !wish->for_other)
        return error_set(error, EXIT_usage, "nothing is said of '%.100s': --param-groups: add lr*F, lr/F, decay*F, decay/F, frozen, trained "
                         "or other", wish->who);
    return true;
}

/* A wish by size may be for nobody. */
static bool may_stand(const char *who, const Network *network)
{
    const struct Role *role = role_find(who);
    if (role && role->sized)
        return true;
    for (int i = 0; i < network_param_count(network); i++)
        if (param_is_trained(network_param(network, i)) && is_for(who, network, network_param(network, i)))
            return true;
    return false;
}

static bool for_nobody(const char *who, const Network *network, Error *error)
{
    char first[200] = "";
    size_t at = 0;
    for (int i = 0, shown = 0; i < network_param_count(network) && shown < 4 && at < sizeof first; i++)
        if (param_is_trained(network_param(network, i))) {
            at += (size_t)snprintf(first + at, sizeof first - at, "%s ", network_param(network, i)->name);
            shown++;
        }
    return error_set(error, EXIT_usage, "no parameter is called '%.100s': --param-groups: use a pattern of names such as %sor one of %s", who,
                     first, parameter_roles());
}

bool parameter_groups_check(const char *text, const Network *network, Error *error)
{
    Wish wish;
    Error wrong = { 0 };
    const char *at = text;
    while (next_wish(&at, &wish, &wrong))
        if (network && !may_stand(wish.who, network))
            return for_nobody(wish.who, network, error);
    if (wrong.text[0] && error)
        *error = wrong;
    return !wrong.text[0];
}

ParameterSettings parameter_settings(const char *text, const Network *network, const Param *param)
{
    Wish wish;
    ParameterSettings settings = { .lr = 1, .decay = param->role == PARAM_weight };
    const char *at = text;
    while (next_wish(&at, &wish, NULL)) {
        if (!is_for(wish.who, network, param))
            continue;
        if (wish.for_lr)
            settings.lr = wish.settings.lr;
        if (wish.for_decay)
            settings.decay = wish.settings.decay;
        if (wish.for_frozen)
            settings.frozen = wish.settings.frozen;
        settings.other = settings.other || wish.for_other;
    }
    settings.frozen = settings.frozen || param->frozen;
    return settings;
}
