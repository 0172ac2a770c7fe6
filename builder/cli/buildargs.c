// SPDX-License-Identifier: Apache-2.0
/*
 * --build-arg, --env and files of arguments. A name without a value takes that of the environment,
 * and is left out when there is none. Of one name the last counts; files are read first, so that
 * the command line goes before them.
 */
#include "builder/cli/buildargs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

int buildargs_take(const char *option, const char *arg, struct strlist *out, struct err **err)
{
	if (arg[0] == '=' || arg[0] == '\0')
		return err_set(err, ERR_USAGE, "%s: \"%s\" has no name", option, arg);
	/* Of one name the last one counts, as for docker. */
	const char *value;
	auto_free char *name = strlist_split_kv(arg, &value);

	if (!value)
		value = getenv(name);
	if (value)
		strlist_set_kv(out, name, value);
	return 0;
}

static int take_lines(const char *path, char *text, struct strlist *out, struct err **err)
{
	unsigned number = 0;

	for (char *line = text, *next; line; line = next) {
		char *end = strchrnul(line, '\n');

		number++;
		next = *end ? end + 1 : NULL;
		*end = '\0';
		if (end > line && end[-1] == '\r')
			end[-1] = '\0';
		line += strspn(line, " \t");
		if (*line == '\0' || *line == '#')
			continue;
		auto_free char *place = mem_printf("--build-arg-file: %s:%u", path, number);
		if (buildargs_take(place, line, out, err) < 0)
			return -1;
	}
	return 0;
}

int buildargs_files(const struct strlist *files, struct strlist *out, struct err **err)
{
	for (size_t i = 0; i < files->n; i++) {
		const char *path = files->v[i];
		auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		auto_buf struct buf text;

		buf_init(&text, BUILDARGS_FILE_MAX);
		if (fd < 0)
			return err_sys_kind(err, ERR_CONTEXT, "--build-arg-file: %s", path);
		if (fs_read_fd(fd, BUILDARGS_FILE_MAX, path, &text, err) < 0)
			return err_prefix(err, "--build-arg-file");
		if (text.len && strlen(text.data) != text.len)
			return err_set(err, ERR_CONTEXT,
				"--build-arg-file: %s: a zero byte in a text", path);
		if (text.len && take_lines(path, text.data, out, err) < 0)
			return -1;
	}
	return 0;
}
