/* commands.c - see commands.h. */

#include "commands.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

char folder[256];

int run(const char *command, char **out, char **err)
{
    char line[2048], path[2][256];
    scratch_path(path[0], folder, "stdout");
    scratch_path(path[1], folder, "stderr");
    snprintf(line, sizeof line, "cd '%s' && export PATH='%s':\"$PATH\" && ( %s ) >'%s' 2>'%s'", folder, PROGRAMS_FOLDER, command,
             path[0], path[1]);
    const int status = system(line);
    assert_true(WIFEXITED(status));
    *out = scratch_read(path[0], &(size_t){ 0 });
    *err = scratch_read(path[1], &(size_t){ 0 });
    assert_true(*out && *err);
    return WEXITSTATUS(status);
}

int lines_of(const char *text)
{
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

json_t *run_json(const char *command)
{
    char *out, *err;
    json_error_t where;
    const int code = run(command, &out, &err);
    if (code != 0)
        fail_msg("%s: exit %d: %s", command, code, err);
    json_t *object = json_loads(out, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(object))
        fail_msg("%s: %s: %s", command, where.text, out);
    free(out);
    free(err);
    return object;
}

double json_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("'%s' is no number", key);
    return json_number_value(value);
}

void check(const Case *c)
{
    char *out, *err;
    const int code = run(c->command, &out, &err);
    const bool out_ok = !c->out || (*c->out ? strstr(out, c->out) != NULL : !*out);
    const bool err_ok = !c->err || (*c->err ? strstr(err, c->err) != NULL : !*err);
    if (code != c->code || !out_ok || !err_ok)
        fail_msg("%s\nexit %d, expected %d\nstdout: %s\nexpected: %s\nstderr: %s\nexpected: %s", c->command, code, c->code, out,
                 c->out ? c->out : "anything", err, c->err ? c->err : "anything");
    free(out);
    free(err);
}

void check_mistake(const Case *c)
{
    char *out, *err, name[32];
    const int code = run(c->command, &out, &err);
    snprintf(name, sizeof name, "%.*s: ", (int)strcspn(c->command, " "), c->command);
    if (code != c->code || *out || lines_of(err) != 1 || strncmp(err, name, strlen(name)) || !strstr(err, c->err))
        fail_msg("%s\nexit %d, expected %d\nstdout: %s\nstderr: %s\nexpected one line with: %s", c->command, code, c->code, out,
                 err, c->err);
    free(out);
    free(err);
}

pid_t start(const char *command, int ignored)
{
    char line[2048];
    snprintf(line, sizeof line, "cd '%s' && exec '%s'/%s >/dev/null 2>stderr", folder, PROGRAMS_FOLDER, command);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ignored)
            signal(ignored, SIG_IGN);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return child;
}

void wait_for_file(const char *name)
{
    char path[256];
    scratch_path(path, folder, name);
    for (int i = 0; i < 30000 && !scratch_exists(path); i++)
        usleep(2000);
    assert_true(scratch_exists(path));
}

int commands_setup(void **state)
{
    (void)state;
    scratch_new(folder);
    return 0;
}

int commands_teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}
